# SPDX-License-Identifier: Apache-2.0
"""Rooms that are marked pure compute and do nothing else. What their libraries leave undefined says so: none of it is
of a library but C's, and of C's nothing that reads, writes, waits or starts something.

    pure.py ARCHIVE...    exits with 1 and a line for each forbidden symbol, with the object file that needs it

Only the archive's own symbols are read: a function of a lower room is that room's matter."""
import re
import subprocess
import sys

SOCKETS = ("socket|socketpair|connect|bind|listen|accept4?|send|sendto|sendmsg|sendmmsg|sendfile|recv|recvfrom|recvmsg|"
           "recvmmsg|shutdown|[gs]etsockopt|getsockname|getpeername|getaddrinfo|freeaddrinfo|gai_strerror|getnameinfo|"
           "gethostby.*|getifaddrs|if_nametoindex|if_indextoname|gethostname")
DESCRIPTORS = ("p?readv?2?|p?writev?2?|open|openat|creat|close|closefrom|close_range|dup[23]?|pipe2?|fcntl|ioctl|lseek|fsync|"
               "fdatasync|ftruncate|truncate|splice|tee|mmap|munmap|msync|memfd_create|shm_open|isatty|tcgetattr|tcsetattr")
FILES = ("f?l?stat|fstatat|statx|access|faccessat|unlink|unlinkat|rename|renameat2?|mkdir|mkdirat|rmdir|link|symlink|readlink|"
         "chmod|fchmod|chown|remove|flock|n?ftw|getpw.*|wordexp|opendir|fdopendir|readdir|closedir|scandir|mkstemp|mkostemp|mkdtemp|realpath|getcwd|chdir")
STDIO = ("fopen|freopen|fdopen|fmemopen|open_memstream|tmpfile|fclose|fread|fwrite|fgets|fgetc|getc|getchar|fputs|fputc|putc|"
         "putchar|puts|v?f?printf|v?dprintf|v?f?scanf|perror|fflush|fseeko?|ftello?|rewind|getline|getdelim|setv?buf|"
         "fileno|stdin|stdout|stderr|v?syslog|openlog")
PROCESSES = ("fork|vfork|clone|exec[lv].*|fexecve|posix_spawn.*|system|popen|pclose|wait|waitpid|waitid|kill|raise|signal|"
             "sigaction|sigprocmask|_?exit|_Exit|atexit|setenv|putenv|unsetenv|getenv|secure_getenv|prctl|syscall")
# Reason, and the symbols; a name that _FORTIFY_SOURCE or large files have changed is read as the plain one.
FORBIDDEN = [(reason, re.compile(names)) for reason, names in [
    ("libuv: the event loop is the caller's", r"uv_.*"),
    ("sockets: bytes are handed in and out", SOCKETS),
    ("polling: the caller waits", r"p?poll|p?select|epoll_.*|eventfd.*|timerfd_.*|signalfd|inotify_.*|io_uring_.*"),
    ("descriptors: bytes are handed in and out", DESCRIPTORS),
    ("files: what is read is handed in", FILES),
    ("streams: texts are returned, and a log line is base's matter", STDIO),
    ("OpenSSL: it belongs to a room that may use it",
     r"(SSL|TLS|DTLS|EVP|RAND|BIO|BN|RSA|DSA|DH|EC|ECDSA|X509|PEM|ERR|ASN1|HMAC|CRYPTO|OPENSSL|OSSL|d2i|i2d)_.*|"
     r"(SHA\d*|MD[45]|AES|HMAC)(_.*)?"),
    ("threads: one caller at a time", r"pthread_.*|sem_.*|thrd_.*|mtx_.*|cnd_.*|tss_.*|call_once|gettid|sched_.*"),
    ("loading of code", r"dlopen|dlmopen|dlsym|dlvsym|dlclose|dladdr|dlerror"),
    ("processes, signals and the environment", PROCESSES),
    ("sleeping: the caller keeps the time", r"u?sleep|nanosleep|clock_nanosleep|pause|alarm|setitimer|timer_.*"),
    ("C++: its library does all of these under other names", r"_Z.*"),
]]


def plain(symbol):
    """read of __read_chk, fopen of fopen64, fscanf of __isoc99_fscanf."""
    name = re.fullmatch(r"(?:__isoc\d+_)?(?:__)?(?P<name>\w+?)(?:_chk)?", symbol)["name"]
    return name[:-2] if name.endswith("64") and len(name) > 4 and not name.startswith("SHA") else name


def needed(archive):
    """(object, symbol) for each symbol that the archive needs and does not define itself."""
    listing = subprocess.run(["nm", "-A", "-P", "-g", archive], capture_output=True, text=True, check=True).stdout
    needs, defined = set(), set()
    for line in listing.splitlines():
        place, _, rest = line.partition(": ")
        symbol, kind = rest.split()[:2]
        if kind in "Uw":
            needs.add((place[place.rindex("[") + 1:-1], symbol))
        else:
            defined.add(symbol)
    assert defined, f"{archive} defines nothing"
    return sorted((member, symbol) for member, symbol in needs if symbol not in defined)


def complaints(archive):
    for member, symbol in needed(archive):
        for reason, names in FORBIDDEN:
            if names.fullmatch(symbol) or names.fullmatch(plain(symbol)):
                yield f"{archive}: {member} needs {symbol} ({reason})"
                break


if __name__ == "__main__":
    found = [line for archive in sys.argv[1:] for line in complaints(archive)]
    for line in found:
        print(line, file=sys.stderr)
    sys.exit(bool(found) or len(sys.argv) < 2)
