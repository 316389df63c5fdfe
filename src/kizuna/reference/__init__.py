"""The reference, written from the code: each file of `pages` is one page. Adding a page is adding its file."""
