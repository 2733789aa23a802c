"""Stage 3: verdicts over five seconds of video; the queue, what stands, and what remains."""
