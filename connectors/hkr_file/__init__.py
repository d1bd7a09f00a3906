"""The budget system (HKR) by file: orders as fixed-length records or CSV, in a folder or over SFTP, answers too."""
