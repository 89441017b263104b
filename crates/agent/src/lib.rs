//! The protocol of SSH agents (draft-ietf-sshm-ssh-agent), the client's side, as far as logging on needs it: which keys
//! are there, and sign this; and to which server this is going. Nothing here opens a socket.
//!
//! A request is a whole frame. An answer's frame begins with [`HEADER_LEN`] bytes, from which [`body_len`] gives the length
//! of the rest, [`identities`] or [`signature`] of which take apart. An agent is a program like others: whatever it
//! answers is an error at worst.

use std::fmt;

use underpass_wire::{DecodeError, Put as _, Reader, plain_algorithm};

/// Bytes before the body of a frame: its length.
pub const HEADER_LEN: usize = 4;

/// Bytes of a frame's body at most, OpenSSH's bound on both sides: some hundred keys of the largest size.
pub const MAX_BODY_LEN: usize = 256 * 1024;

/// Keys that are looked at, OpenSSH's bound. Servers give up after a handful.
pub const MAX_IDENTITIES: usize = 2048;

/// A key that an agent holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The public key blob (RFC 4253 section 6.6), or a certificate's.
    pub key: Vec<u8>,
    /// What whoever added it calls it, often a file. Escape it before showing it.
    pub comment: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AgentError {
    /// The agent says no: it is locked, its owner was asked and refused, or the key is gone.
    Refused,
    /// The agent announces a frame of a length that none has.
    Length(u32),
    /// The agent answers with something else.
    Unexpected(u8),
    /// The answer is not what it says that it is.
    Malformed,
}

impl fmt::Display for AgentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused => f.write_str("it refuses"),
            Self::Length(length) => write!(f, "it announces an answer of {length} bytes"),
            Self::Unexpected(number) => {
                write!(f, "it answers with message {number}, which is none of those due")
            }
            Self::Malformed => f.write_str("its answer is malformed"),
        }
    }
}

impl std::error::Error for AgentError {}

impl From<DecodeError> for AgentError {
    fn from(_: DecodeError) -> Self {
        Self::Malformed
    }
}

/// The frame that asks which keys there are (section 3.5).
pub fn request_identities() -> Vec<u8> {
    frame(|body| body.put_u8(REQUEST_IDENTITIES))
}

/// The frame that asks for a signature over `data` (section 3.6), by `algorithm` where the key has several.
pub fn sign_request(key: &[u8], data: &[u8], algorithm: &str) -> Vec<u8> {
    let flags = match plain_algorithm(algorithm).as_ref() {
        "rsa-sha2-256" => RSA_SHA2_256,
        "rsa-sha2-512" => RSA_SHA2_512,
        _ => 0,
    };
    frame(|body| {
        body.put_u8(SIGN_REQUEST);
        body.put_string(key);
        body.put_string(data);
        body.put_u32(flags);
    })
}

/// The frame that tells which server the requests that follow on the same connection are for (`session-bind@openssh.com`,
/// OpenSSH's PROTOCOL.agent section 1): its host key, and the signature by which that has proven itself in the first key
/// exchange. Keys with constraints on where they may be used are of use only then.
pub fn session_bind(host_key: &[u8], session_id: &[u8], signature: &[u8]) -> Vec<u8> {
    frame(|body| {
        body.put_u8(EXTENSION);
        body.put_text("session-bind@openssh.com");
        body.put_string(host_key);
        body.put_string(session_id);
        body.put_string(signature);
        // The agent is not forwarded to that server.
        body.put_bool(false);
    })
}

/// The length of a frame's body.
///
/// # Errors
/// It is 0, or more than [`MAX_BODY_LEN`].
pub fn body_len(header: [u8; HEADER_LEN]) -> Result<usize, AgentError> {
    let length = u32::from_be_bytes(header);
    match usize::try_from(length) {
        Ok(len @ 1..=MAX_BODY_LEN) => Ok(len),
        _ => Err(AgentError::Length(length)),
    }
}

/// The keys in an answer to [`request_identities`], in the agent's order. A locked agent has none.
///
/// # Errors
/// It is another answer, or malformed.
pub fn identities(body: &[u8]) -> Result<Vec<Identity>, AgentError> {
    let mut fields = answer(body, IDENTITIES_ANSWER)?;
    let count = fields.u32()? as usize;
    if count > MAX_IDENTITIES {
        return Err(AgentError::Malformed);
    }
    // Not by what it announces: each takes bytes that must be there.
    let mut identities = Vec::new();
    for _ in 0..count {
        identities.push(Identity { key: fields.string()?.to_vec(), comment: fields.string()?.to_vec() });
    }
    fields.finish()?;
    Ok(identities)
}

/// The signature blob in an answer to [`sign_request`], which must be one by `algorithm`: an agent that does not know the
/// flags signs with SHA-1, which a server refuses without saying why.
///
/// # Errors
/// It is another answer, malformed, or a signature by another algorithm.
pub fn signature(body: &[u8], algorithm: &str) -> Result<Vec<u8>, AgentError> {
    let mut fields = answer(body, SIGN_RESPONSE)?;
    let signature = fields.string()?.to_vec();
    fields.finish()?;
    let mut inside = Reader::new(&signature);
    if inside.text()? != plain_algorithm(algorithm) {
        return Err(AgentError::Malformed);
    }
    Ok(signature)
}

/// The answer to [`session_bind`]. An agent that does not know it refuses, and can be asked for the rest all the same.
///
/// # Errors
/// It is another answer, or malformed.
pub fn bound(body: &[u8]) -> Result<(), AgentError> {
    Ok(answer(body, SUCCESS)?.finish()?)
}

/// The fields of an answer of this number.
fn answer(body: &[u8], expected: u8) -> Result<Reader<'_>, AgentError> {
    let mut fields = Reader::new(body);
    match fields.u8()? {
        number if number == expected => Ok(fields),
        FAILURE | EXTENSION_FAILURE | OLD_FAILURE => Err(AgentError::Refused),
        number => Err(AgentError::Unexpected(number)),
    }
}

fn frame(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut frame = vec![0; HEADER_LEN];
    write(&mut frame);
    let length = (frame.len() - HEADER_LEN) as u32;
    frame[..HEADER_LEN].copy_from_slice(&length.to_be_bytes());
    frame
}

/// Numbers of messages (section 7.1).
const FAILURE: u8 = 5;
const SUCCESS: u8 = 6;
const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES_ANSWER: u8 = 12;
const SIGN_REQUEST: u8 = 13;
const SIGN_RESPONSE: u8 = 14;
const EXTENSION: u8 = 27;
const EXTENSION_FAILURE: u8 = 28;
/// What ssh.com's agent says.
const OLD_FAILURE: u8 = 102;

/// Flags of a request for a signature (section 7.3).
const RSA_SHA2_256: u32 = 2;
const RSA_SHA2_512: u32 = 4;

#[cfg(test)]
mod tests {
    use super::*;

    fn body(frame: &[u8]) -> &[u8] {
        let (header, body) = frame.split_at(HEADER_LEN);
        assert_eq!(body_len(header.try_into().unwrap()), Ok(body.len()));
        body
    }

    fn listing(keys: &[(&[u8], &[u8])]) -> Vec<u8> {
        let mut body = vec![IDENTITIES_ANSWER];
        body.put_u32(keys.len() as u32);
        for (key, comment) in keys {
            body.put_string(key);
            body.put_string(comment);
        }
        body
    }

    fn signed(algorithm: &str) -> Vec<u8> {
        let mut signature = Vec::new();
        signature.put_text(algorithm);
        signature.put_string(b"numbers");
        let mut body = vec![SIGN_RESPONSE];
        body.put_string(&signature);
        body
    }

    #[test]
    fn requests_have_the_layout_of_the_draft() {
        assert_eq!(request_identities(), [0, 0, 0, 1, 11]);
        let frame = sign_request(b"key", b"data", "rsa-sha2-512");
        let mut fields = Reader::new(body(&frame));
        assert_eq!(
            (fields.u8(), fields.string(), fields.string()),
            (Ok(13), Ok(&b"key"[..]), Ok(&b"data"[..]))
        );
        assert_eq!((fields.u32(), fields.finish()), (Ok(4), Ok(())));
    }

    #[test]
    fn the_server_is_told_as_openssh_has_it() {
        let frame = session_bind(b"key", b"session", b"signature");
        let mut fields = Reader::new(body(&frame));
        assert_eq!((fields.u8(), fields.text()), (Ok(27), Ok("session-bind@openssh.com")));
        let strings = [fields.string(), fields.string(), fields.string()];
        assert_eq!(strings, [Ok(&b"key"[..]), Ok(&b"session"[..]), Ok(&b"signature"[..])]);
        assert_eq!((fields.bool(), fields.finish()), (Ok(false), Ok(())));
        assert_eq!(bound(&[SUCCESS]), Ok(()));
        assert_eq!(bound(&[SUCCESS, 0]), Err(AgentError::Malformed));
        assert_eq!(bound(&listing(&[])), Err(AgentError::Unexpected(IDENTITIES_ANSWER)));
        for refusal in [FAILURE, EXTENSION_FAILURE] {
            assert_eq!(bound(&[refusal]), Err(AgentError::Refused));
        }
    }

    #[test]
    fn the_flags_say_which_sha_2_an_rsa_key_signs_with() {
        let flags = |algorithm| *sign_request(b"", b"", algorithm).last().unwrap();
        let names =
            ["ssh-rsa", "rsa-sha2-256", "rsa-sha2-512", "rsa-sha2-256-cert-v01@openssh.com", "ssh-ed25519"];
        assert_eq!(names.map(flags), [0, 2, 4, 2, 0]);
    }

    #[test]
    fn keys_come_in_the_agents_order() {
        let listed = identities(&listing(&[(b"one", b"a"), (b"two", b"")])).unwrap();
        let keys: Vec<_> = listed.iter().map(|identity| identity.key.as_slice()).collect();
        assert_eq!(keys, [b"one", b"two"]);
        assert_eq!(identities(&listing(&[])), Ok(Vec::new()));
    }

    #[test]
    fn a_signature_by_another_algorithm_is_none() {
        let name = "rsa-sha2-256";
        assert!(signature(&signed(name), name).unwrap().ends_with(b"numbers"));
        assert!(signature(&signed(name), "rsa-sha2-256-cert-v01@openssh.com").is_ok());
        assert!(
            signature(&signed("sk-ssh-ed25519@openssh.com"), "sk-ssh-ed25519-cert-v01@openssh.com").is_ok()
        );
        assert_eq!(signature(&signed("ssh-rsa"), name), Err(AgentError::Malformed));
    }

    #[test]
    fn lengths_that_no_frame_has_are_refused_before_it_is_awaited() {
        for length in [0, MAX_BODY_LEN as u32 + 1, i32::MAX as u32, u32::MAX] {
            assert_eq!(body_len(length.to_be_bytes()), Err(AgentError::Length(length)));
        }
    }

    #[test]
    fn refusals_and_odd_answers_are_told_apart() {
        for number in [FAILURE, EXTENSION_FAILURE, OLD_FAILURE] {
            assert_eq!(identities(&[number]), Err(AgentError::Refused));
            assert_eq!(signature(&[number], "ssh-ed25519"), Err(AgentError::Refused));
        }
        assert_eq!(signature(&listing(&[]), "ssh-ed25519"), Err(AgentError::Unexpected(IDENTITIES_ANSWER)));
        assert_eq!(identities(&signed("ssh-ed25519")), Err(AgentError::Unexpected(SIGN_RESPONSE)));
    }

    #[test]
    fn what_is_cut_or_too_long_or_counts_wrong_is_malformed() {
        let (keys, sign) = (listing(&[(b"one", b"a"), (b"two", b"b")]), signed("ssh-ed25519"));
        for end in 0..keys.len() {
            assert_eq!(identities(&keys[..end]), Err(AgentError::Malformed), "{end}");
        }
        for end in 0..sign.len() {
            assert_eq!(signature(&sign[..end], "ssh-ed25519"), Err(AgentError::Malformed), "{end}");
        }
        assert_eq!(identities(&[&keys[..], &[0]].concat()), Err(AgentError::Malformed));
        assert_eq!(signature(&[&sign[..], &[0]].concat(), "ssh-ed25519"), Err(AgentError::Malformed));
        for count in [3, MAX_IDENTITIES as u32 + 1, u32::MAX] {
            let mut counted = keys.clone();
            counted[1..5].copy_from_slice(&u32::to_be_bytes(count));
            assert_eq!(identities(&counted), Err(AgentError::Malformed), "{count}");
        }
    }
}
