"""What the process is to the system it runs on: exit codes, log lines, memory, and where its state lies.

exit_codes.py  what the command ends with
logs.py        log lines on standard error, and the last of them for `dockerproxy logs`
offload.py     CPU work beside the event loop
own_token.py   the admin token that the proxy makes for itself
memory.py      what the C library is told about giving memory back
private_file.py  writing the files of the state folder
stale_mounts.py  files that are mounted alone, while the file outside has been replaced
unreadable.py  why a file cannot be read, and the command that mends it
whereabouts.py the note in the state folder that tells commands where the proxy answers

None of them knows what a proxy does.
"""
