"""The pages of the reference: each file offers `page`, which makes one."""
