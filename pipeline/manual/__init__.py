"""Stage 2: candidates to annotators and back, the paper's rules, and one outcome for each clip."""
