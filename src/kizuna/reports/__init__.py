"""What comes back about mails: reads bounces, complaints and auto-replies, says what each means, tells the log."""
