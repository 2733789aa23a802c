"""The three annotation stages of the paper (section 4.1); later issues fill this room."""
