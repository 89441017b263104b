//! What a client and a server have said to each other, written down once and said again in tests.
//!
//! A [`Transcript`] holds the [`Terms`], which decide everything that the client does, and both sides' bytes in turns.
//! A [`Visit`] is the client: recording it at a server that we did not write makes a transcript, and one that hears the
//! server's bytes again must send the client's, byte for byte.
//!
//! Nothing of ours is drawn from anywhere but the seed: key exchanges and paddings take their randomness as an
//! argument, signatures have none (RFC 6979 for those that need a nonce), and time stands still.

mod format;
mod visit;

use underpass_wire::Number;

pub use visit::{Outcome, Visit};

/// What was agreed on before: with these, a client says the same each time, to a server that does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// What the transcript is about, e.g. `kex mlkem768x25519-sha256`.
    pub about: String,
    /// The server, by the name of its program; its version is in what it says.
    pub server: String,
    /// Of everything random.
    pub seed: u64,
    /// Who logs on.
    pub user: String,
    /// What the channel leads to, which sends back what it gets.
    pub target: (String, u16),
    /// The only key exchange method that is offered.
    pub kex: String,
    /// The only host key algorithm.
    pub host_key: String,
    /// The only cipher.
    pub cipher: String,
    /// The only MAC. Means nothing beside a cipher with a tag of its own.
    pub mac: String,
    /// The only compression method.
    pub compression: String,
    /// How the user signs.
    pub signature: String,
    /// What the user signs with: an OpenSSH private key, without its armour, in base64. Serves nowhere else.
    pub key: String,
}

/// Who said it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    /// The client.
    Client,
    /// The server.
    Server,
}

/// The terms, and what was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transcript {
    /// The terms.
    pub terms: Terms,
    /// What was said, by turns: no speaker twice in succession.
    pub turns: Vec<(Speaker, Vec<u8>)>,
}

impl Transcript {
    /// A transcript of nothing yet.
    pub fn new(terms: Terms) -> Self {
        Self { terms, turns: Vec::new() }
    }

    /// Adds what one of them said.
    pub fn add(&mut self, speaker: Speaker, bytes: &[u8]) {
        match self.turns.last_mut() {
            _ if bytes.is_empty() => {}
            Some((last, said)) if *last == speaker => said.extend_from_slice(bytes),
            _ => self.turns.push((speaker, bytes.to_vec())),
        }
    }

    /// Everything that the server said.
    pub fn server(&self) -> Vec<u8> {
        let said = self.turns.iter().filter(|(speaker, _)| *speaker == Speaker::Server);
        said.flat_map(|(_, bytes)| bytes.iter().copied()).collect()
    }

    /// Says it again to a client, the server's bytes in pieces of at most `piece`.
    ///
    /// # Errors
    /// The client says something else, or it does not come to the same end.
    pub fn replay(&self, piece: usize) -> Result<Outcome, String> {
        let mut visit = Visit::new(&self.terms)?;
        for (at, (speaker, bytes)) in self.turns.iter().enumerate() {
            match speaker {
                Speaker::Server => bytes.chunks(piece).for_each(|piece| visit.hear(piece)),
                Speaker::Client => {
                    let said = visit.say();
                    if said != *bytes {
                        let same = said.iter().zip(bytes).take_while(|(now, then)| now == then).count();
                        let end = &visit.outcome().end;
                        return Err(format!("turn {at} differs from byte {same} on; ended: {end:?}"));
                    }
                }
            }
        }
        match visit.say().len() {
            0 => visit.outcome().check(&self.terms).map(|()| visit.outcome().clone()),
            more => Err(format!("{more} bytes too many at the end")),
        }
    }

    /// What becomes of a client that hears the server with one bit flipped, and then no more.
    ///
    /// # Errors
    /// There is no such client.
    pub fn replay_flipped(&self, bit: usize) -> Result<Outcome, String> {
        let mut visit = Visit::new(&self.terms)?;
        let mut at = 0;
        for (_, bytes) in self.turns.iter().filter(|(speaker, _)| *speaker == Speaker::Server) {
            let mut bytes = bytes.clone();
            if let Some(byte) = (bit / 8).checked_sub(at).and_then(|offset| bytes.get_mut(offset)) {
                *byte ^= 1 << (bit % 8);
            }
            at += bytes.len();
            visit.hear(&bytes);
            visit.say();
        }
        visit.hear_the_end();
        Ok(visit.outcome().clone())
    }

    /// Which of the server's bytes nothing protects: the padding of its packets before there are keys.
    pub fn unprotected(&self) -> Vec<usize> {
        let said = self.server();
        let mut at = said.iter().position(|byte| *byte == b'\n').map_or(said.len(), |end| end + 1);
        let mut unprotected = Vec::new();
        while let Some(&[a, b, c, d, padding, number]) = said.get(at..at + 6) {
            let end = at + 4 + u32::from_be_bytes([a, b, c, d]) as usize;
            unprotected.extend(end - usize::from(padding)..end);
            at = end;
            if Number(number) == Number::NEWKEYS {
                break;
            }
        }
        unprotected
    }
}
