#!/usr/bin/env python3
"""Writes netcode.json: bytes of netcode 1.02 that none of this project's code has made.

Written from the published standard alone (github.com/mas-bandwidth/netcode, STANDARD.md, version 1.02, and the errata
in IMPLEMENTERS.md); no code of any implementation is in it. Whatever is encrypted is encrypted by libsodium, which
the standard names.

To write the file anew, in this folder:

    pip install pynacl
    python3 netcode.py

Keys, nonces and numbers are fixed, so the file comes out the same each time.
`tests/tests/netcode_standard/` reads it.

What the standard leaves open or says wrongly, and what the errata and the layouts say:

- a challenge token has 300 bytes sealed, in the response as in the challenge;
- the types of addresses are 1 and 2;
- the nonce is four zero bytes, then the number as 8 bytes, little-endian;
- a request carries the token's nonce of 24 bytes, so that it has 1,078 bytes and not 1,062.
"""

import ipaddress
import json
import pathlib
import struct

from nacl.bindings import (
    crypto_aead_chacha20poly1305_ietf_encrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
)

VERSION_INFO = b"NETCODE 1.02\0"
PROTOCOL_ID = 0x1122334455667788
PRIVATE_KEY = bytes(range(0x80, 0xA0))
CHALLENGE_KEY = bytes(range(0x40, 0x60))
TAG_BYTES = 16

# Each number of sequence bytes from both sides; 2^63, where a server begins to number what belongs to no connection;
# the first and the last number there are.
NUMBERS = [0, 1, 2**8 - 1, 2**8, 2**16 - 1, 2**16, 2**24 - 1, 2**24, 2**40 - 1, 2**63, 2**64 - 1]

DENIED, CHALLENGE, RESPONSE, KEEP_ALIVE, PAYLOAD, DISCONNECT = range(1, 7)


def u8(value):
    return struct.pack("<B", value)


def u16(value):
    return struct.pack("<H", value)


def u32(value):
    return struct.pack("<I", value)


def i32(value):
    return struct.pack("<i", value)


def u64(value):
    return struct.pack("<Q", value)


def padded(data, size):
    assert len(data) <= size
    return data + bytes(size - len(data))


def addresses(listed):
    data = u32(len(listed))
    for ip, port in listed:
        ip = ipaddress.ip_address(ip)
        if ip.version == 4:
            data += u8(1) + b"".join(u8(int(number)) for number in str(ip).split("."))
        else:
            data += u8(2) + b"".join(u16(int(group, 16)) for group in ip.exploded.split(":"))
        data += u16(port)
    return data


def shown(ip, port):
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"


def nonce_of(number):
    return bytes(4) + u64(number)


def token(client_id, timeout_s, created_at_s, expires_at_s, nonce, listed, keys, user_data):
    client_to_server, server_to_client = keys
    assert len(nonce) == 24 and len(user_data) == 256
    plain = u64(client_id) + i32(timeout_s) + addresses(listed) + client_to_server + server_to_client + user_data
    plain = padded(plain, 1024 - TAG_BYTES)
    associated = VERSION_INFO + u64(PROTOCOL_ID) + u64(expires_at_s)
    sealed = crypto_aead_xchacha20poly1305_ietf_encrypt(plain, associated, nonce, PRIVATE_KEY)
    assert len(sealed) == 1024
    public = VERSION_INFO + u64(PROTOCOL_ID) + u64(created_at_s) + u64(expires_at_s) + nonce + sealed
    public += i32(timeout_s) + addresses(listed) + client_to_server + server_to_client
    request = u8(0) + VERSION_INFO + u64(PROTOCOL_ID) + u64(expires_at_s) + nonce + sealed
    assert len(request) == 1078
    return {
        "client_id": client_id,
        "timeout_s": timeout_s,
        "created_at_s": created_at_s,
        "expires_at_s": expires_at_s,
        "nonce": nonce.hex(),
        "addresses": [shown(ip, port) for ip, port in listed],
        "client_to_server": client_to_server.hex(),
        "server_to_client": server_to_client.hex(),
        "user_data": user_data.hex(),
        "plain": plain.hex(),
        "sealed": sealed.hex(),
        "public": padded(public, 2048).hex(),
        "request": request.hex(),
    }


def challenge(number, client_id, user_data):
    plain = padded(u64(client_id) + user_data, 300 - TAG_BYTES)
    sealed = crypto_aead_chacha20poly1305_ietf_encrypt(plain, None, nonce_of(number), CHALLENGE_KEY)
    assert len(sealed) == 300
    return sealed


def packet(packet_type, key, number, data, number_bytes=None):
    """`number_bytes` is for numbers that are written in more bytes than they need."""
    if number_bytes is None:
        number_bytes = max(1, (number.bit_length() + 7) // 8)
    prefix = u8(number_bytes << 4 | packet_type)
    associated = VERSION_INFO + u64(PROTOCOL_ID) + prefix
    sealed = crypto_aead_chacha20poly1305_ietf_encrypt(data, associated, nonce_of(number), key)
    return {"number": number, "packet": (prefix + u64(number)[:number_bytes] + sealed).hex()}


def packets(packet_type, key, data, numbers):
    sealed = [packet(packet_type, key, number, data) for number in numbers]
    return {"type": packet_type, "key": key.hex(), "data": data.hex(), "packets": sealed}


def vectors():
    to_server, to_client = bytes(range(0x00, 0x20)), bytes(range(0x20, 0x40))
    user_data = bytes((7 * place + 3) % 256 for place in range(256))
    client_id, listed = 0x0102030405060708, [("203.0.113.5", 7777), ("2001:db8:1:2:3:4:5:6", 40001)]
    nonce, keys = bytes(range(24)), (to_server, to_client)
    usual = token(client_id, 5, 1_700_000_000, 1_700_000_060, nonce, listed, keys, user_data)
    # The fullest token there is, which never times out.
    many = [(f"2001:db8::{number:x}:ff01", 50_000 + number) for number in range(32)]
    nonce, keys = bytes([0xEE] * 24), (bytes([0xA5] * 32), bytes([0x5A] * 32))
    full = token(2**64 - 1, -1, 0, 2**64 - 1, nonce, many, keys, bytes(reversed(user_data)))

    answered = u64(0) + challenge(0, client_id, user_data)
    long_numbers = [packet(PAYLOAD, to_server, number, b"x", count) for number, count in ((0, 8), (1, 2), (300, 5))]
    return {
        "protocol_id": PROTOCOL_ID,
        "private_key": PRIVATE_KEY.hex(),
        "challenge_key": CHALLENGE_KEY.hex(),
        "tokens": [usual, full],
        # Made for the first token.
        "challenges": [
            {"number": number, "sealed": challenge(number, client_id, user_data).hex()}
            for number in (0, 1, 2**32, 2**64 - 1)
        ],
        "packets": [
            packets(DENIED, to_client, b"", NUMBERS),
            packets(CHALLENGE, to_client, answered, NUMBERS),
            packets(RESPONSE, to_server, answered, NUMBERS),
            # Place 0 of 64.
            packets(KEEP_ALIVE, to_client, u32(0) + u32(64), NUMBERS),
            packets(PAYLOAD, to_server, b"what all this is for", NUMBERS),
            packets(DISCONNECT, to_server, b"", NUMBERS),
            packets(PAYLOAD, to_server, b"1", [1000]),
            packets(PAYLOAD, to_server, bytes(place % 251 for place in range(1200)), [1000]),
        ],
        # A sender may leave out high zero bytes; whoever does not is understood too. All carry the payload "x".
        "long_numbers": {"key": to_server.hex(), "packets": long_numbers},
    }


if __name__ == "__main__":
    text = json.dumps(vectors(), indent=1)
    pathlib.Path(__file__).with_name("netcode.json").write_text(text + "\n", encoding="ascii")
