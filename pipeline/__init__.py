"""The three annotation stages of the paper (section 4.1), from a detector's boxes to a release."""
