"""`simhand init`: looks at the user's folders and writes a configuration for them."""
