"""The paper's models, trained and run; later issues fill this room."""
