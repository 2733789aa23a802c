"""Stage 1: a detector and the class matches propose boxes on the centre frame of every clip."""
