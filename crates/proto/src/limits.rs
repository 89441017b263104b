//! Every quantity that a peer controls has a limit here, with its reason.

use std::time::Duration;

/// Lines a server may send before its identification (RFC 4253 section 4.2). OpenSSH allows 1024; real banners of
/// this kind have a handful.
pub const MAX_PREAMBLE_LINES: usize = 64;

/// Bytes of one line before or with the identification. RFC 4253 section 4.2 allows 255 for the identification; lines
/// before it have no limit there, so a wide one is allowed.
pub const MAX_PREAMBLE_LINE: usize = 2048;

/// The identifications that are accepted unless configured. 1.99 announces both versions (RFC 4253 section 5.1).
pub const IDENTIFICATIONS: &str = "SSH-2.0-*,SSH-1.99-*";

/// Bytes of the identification line, its end included (RFC 4253 section 4.2).
pub const MAX_IDENTIFICATION: usize = 255;

/// The receive buffer at first; an idle connection stays this small.
pub const MIN_BUFFER: usize = 64 * 1024;

/// The receive and the transmit buffer at most. Measured: from 64 KiB to 1 MiB the CPU time per byte halves, beyond
/// that nothing is gained.
pub const MAX_BUFFER: usize = 1024 * 1024;

/// Bytes of a payload after it was expanded: what a packet can hold without compression.
pub const MAX_PAYLOAD: usize = underpass_crypto::packet::MAX_PACKET_LENGTH;

/// Bytes of control messages that may wait for the peer to read or to finish a key exchange. Replies are what a
/// hostile peer can make us queue (OpenSSH CVE-2025-26466); an honest one needs a few kilobytes.
pub const MAX_PENDING_CONTROL: usize = 1024 * 1024;

/// What each channel adds to [`MAX_PENDING_CONTROL`]: an open or its answer, end of file, close and the few window
/// adjustments that a window has room for. Without it an application could not close 100,000 channels at once.
pub const MAX_PENDING_CHANNEL_CONTROL: usize = 512;

/// The largest channel data we accept in one packet, as we announce it. Most servers send less; OpenSSH's reads 32 KiB
/// of its target at a time and, allowed to send more than that, works off what has piled up instead of carrying it
/// along for the rest of the transfer.
pub const MAX_CHANNEL_DATA: usize = 128 * 1024;

/// The largest channel data we send in one packet, whatever the peer announces: the buffer holds several, so that
/// channels take turns.
pub const MAX_SENT_DATA: usize = 32 * 1024;

/// Channels open at once; the interface this serves promises 100,000 connections.
pub const MAX_CHANNELS: usize = 100_000;

/// Channel opens by the peer that wait for an answer of the application. Each waits no longer than the time allowed
/// for opening a channel.
pub const MAX_PENDING_OPENS: usize = 4096;

/// Bytes of a target's or an originator's name in a channel open: a host name has 255 at most.
pub const MAX_HOST: usize = 1024;

/// Bytes of the path of a Unix-domain socket. Systems allow about a hundred.
pub const MAX_PATH: usize = 1024;

/// Requests about remote forwards that wait for an answer, of each side. Programs ask for a handful; beyond it ours are
/// not made and the peer's are refused.
pub const MAX_REQUESTS: usize = 64;

/// Refusals that wait behind a request whose answer is not known, since replies keep the order of the requests. An
/// honest peer asks for a sign of life every few seconds.
pub const MAX_OWED_REFUSALS: u32 = 4096;

/// The window of a new channel while memory allows, OpenSSH's fixed value; growth takes over from here.
pub const INITIAL_WINDOW: u32 = 2 * 1024 * 1024;

/// The window that every channel gets, however many there are: two packets of the size that servers commonly send.
pub const MIN_WINDOW: u32 = 64 * 1024;

/// The window of one channel at most: 48 MiB carry 4 Gbit/s over 100 ms.
pub const MAX_WINDOW: u32 = 48 * 1024 * 1024;

/// The windows of one connection together, unless configured: what stalled consumers can make us hold.
pub const RECEIVE_MEMORY: usize = 256 * 1024 * 1024;

/// Authentication requests of one connection. Servers commonly stop at 6; agents can hold many keys.
pub const MAX_AUTH_REQUESTS: u32 = 128;

/// Prompts rounds within one keyboard-interactive or password-change attempt (RFC 4256 sets none).
pub const MAX_AUTH_ROUNDS: u32 = 32;

/// Bytes of a GSS-API token. Those of Kerberos hold a ticket, which Windows bounds at 48,000 bytes with all groups of the
/// user in it; a ticket that is passed on comes on top.
pub const MAX_GSS_TOKEN: usize = 128 * 1024;

/// Tokens of the peer in one GSS-API exchange. Kerberos needs one, negotiating mechanisms a few more.
pub const MAX_GSS_ROUNDS: u32 = 16;

/// Banners before authentication that are passed on; further ones are dropped.
pub const MAX_BANNERS: u32 = 16;

/// Payload bytes under one set of keys. RFC 4344 section 3.2 allows 2^(L/4) blocks, 64 GiB for 128-bit blocks; a
/// quarter of it is taken.
pub const REKEY_BYTES: u64 = 16 * 1024 * 1024 * 1024;

/// The same under a cipher with blocks of less than 128 bits, whatever is configured: RFC 4344's rule gives a megabyte
/// there, which costs more than it is worth; a gigabyte (RFC 4253 section 9) is far from the 32 GiB after which blocks
/// are expected to repeat.
pub const REKEY_BYTES_SMALL_BLOCK: u64 = 1 << 30;

/// Packets under one set of keys: half of the sequence number's range (RFC 4344 section 3.1).
pub const REKEY_PACKETS: u64 = 1 << 31;

/// Age of one set of keys (RFC 4253 section 9 recommends an hour).
pub const REKEY_AGE: Duration = Duration::from_secs(3600);

/// Messages of no content (IGNORE, DEBUG, UNIMPLEMENTED) before authentication has succeeded. A peer that sends more
/// only wastes our time.
pub const MAX_IDLE_MESSAGES: u32 = 1024;
