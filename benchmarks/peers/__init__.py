"""The competitors, each as a good engineer would write it by hand for exactly these two messages."""
