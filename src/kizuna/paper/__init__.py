"""Paper: postal addresses, codes that people type, and pages to print. Knows no customer and no message."""
