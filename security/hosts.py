"""Servers that a customer must not name, in all spellings that some resolver or library takes for an address.

A name that is fine by itself and leads inside is refused when it is dialled:
`tests/contract/test_smtp_dial.py`.
"""

REFUSED = (
    # names without a dot, and what they stand for
    "localhost",
    "LOCALHOST",
    "metadata",
    "",
    ".",
    "..",
    "example",
    "-a.example.com",
    "a-.example.com",
    "a..example.com",
    "a_b.example.com",
    f"{'a' * 64}.example.com",
    f"{'a.' * 130}example.com",
    # addresses: loopback, private, link-local, metadata, carrier-grade NAT, benchmarks, multicast, broadcast
    "127.0.0.2",
    "127.1",
    "0.0.0.0",
    "0",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.0.1",
    "169.254.169.254",
    "100.64.0.1",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "8.8.8.8",  # a public address is no name either: nobody's certificate could be checked
    # the same in other bases, as `inet_aton` reads them
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "017700000001",
    "0177.0.0.1",
    "0xa9fea9fe",
    "2852039166",
    # IPv6: loopback, mapped, NAT64, 6to4, Teredo, unique local, link-local, site-local, metadata
    "::1",
    "[::1]",
    "::ffff:127.0.0.1",
    "::ffff:a9fe:a9fe",
    "::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "2002:a9fe:a9fe::",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    # digits and dots that are normalised to ASCII
    "①②⑦.⓪.⓪.①",
    "１２７.0.0.1",
    "127。0。0。1",
    "ｌocalhost",
    "еxample.com",
    # more than a host
    "http://mail.example.com",
    "mail.example.com:25",
    "mail.example.com/",
    "user@mail.example.com",
    "mail.example.com?x",
    "mail.example.com#x",
    "mail.example.com\\x",
    "mail.example.com.",
    "127.0.0.1\x00.example.com",
    "mail.example.com\x00",
    "mail.example.com\r\nRCPT TO:<x@example.com>",
    "mail example.com",
    "*.example.com",
    "$(id).example.com",
)

PORTS_REFUSED = (0, -1, 22, 80, 443, 3306, 6379, 9200, 11211, 65535, 65536)

ACCEPTED = (
    "mail.example.com",
    "MAIL.Example.COM",
    "a.b.c.d.example",
    "1and1.example.com",
    "xn--mller-kva.example.com",
    "smtp.gmail.com",
)
