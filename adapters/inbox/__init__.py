"""What the sources that watch a folder share. No plug-in: `file`, `sftp` and `sftp_server` are made of these parts."""
