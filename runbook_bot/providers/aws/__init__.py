"""Amazon Web Services, read through boto3 and changed only with an approval in hand."""
