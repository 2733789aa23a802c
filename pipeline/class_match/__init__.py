"""Which OpenImages classes name the object that makes a sound: matched by word vectors, with a score and a reason."""
