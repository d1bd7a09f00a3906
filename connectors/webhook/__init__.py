"""Takes what other systems send by themselves: signed deliveries over HTTP, kept on disk before they are answered."""
