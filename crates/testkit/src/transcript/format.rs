//! A transcript as a file: `name: value` lines, an empty one, then what was said in base64, `>` before what the client
//! said and `<` before what the server did.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Speaker, Terms, Transcript};

impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Terms { about, server, seed, user, target, .. } = &self.terms;
        let Terms { kex, host_key, cipher, mac, compression, signature, key, .. } = &self.terms;
        let (host, port) = target;
        for (name, value) in [("about", about), ("server", server), ("user", user), ("host", host)] {
            writeln!(f, "{name}: {value}")?;
        }
        for (name, value) in [("port", u64::from(*port)), ("seed", *seed)] {
            writeln!(f, "{name}: {value}")?;
        }
        for (name, value) in [("kex", kex), ("host_key", host_key), ("cipher", cipher), ("mac", mac)] {
            writeln!(f, "{name}: {value}")?;
        }
        for (name, value) in [("compression", compression), ("signature", signature), ("key", key)] {
            writeln!(f, "{name}: {value}")?;
        }
        for (speaker, bytes) in &self.turns {
            writeln!(f)?;
            // Of a length that needs no padding.
            for line in bytes.chunks(LINE) {
                writeln!(f, "{} {}", speaker.mark(), STANDARD.encode(line))?;
            }
        }
        Ok(())
    }
}

impl FromStr for Transcript {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (head, said) = text.split_once("\n\n").ok_or("nothing was said")?;
        let field = |name: &str| {
            let values = head.lines().filter_map(|line| line.split_once(": "));
            let value = values.filter(|(known, _)| *known == name).map(|(_, value)| value.to_owned()).next();
            value.ok_or_else(|| format!("there is no `{name}`"))
        };
        let mut transcript = Self::new(Terms {
            about: field("about")?,
            server: field("server")?,
            seed: field("seed")?.parse().map_err(|_| "the seed is no number")?,
            user: field("user")?,
            target: (field("host")?, field("port")?.parse().map_err(|_| "the port is none")?),
            kex: field("kex")?,
            host_key: field("host_key")?,
            cipher: field("cipher")?,
            mac: field("mac")?,
            compression: field("compression")?,
            signature: field("signature")?,
            key: field("key")?,
        });
        for line in said.lines().filter(|line| !line.is_empty()) {
            let speaker = [Speaker::Client, Speaker::Server].into_iter();
            let (speaker, bytes) = speaker
                .filter_map(|speaker| Some((speaker, line.strip_prefix(speaker.mark())?.trim_start())))
                .next()
                .ok_or_else(|| format!("nobody said `{line}`"))?;
            transcript.add(speaker, &STANDARD.decode(bytes).map_err(|error| format!("`{line}`: {error}"))?);
        }
        Ok(transcript)
    }
}

impl Speaker {
    const fn mark(self) -> char {
        match self {
            Self::Client => '>',
            Self::Server => '<',
        }
    }
}

/// Bytes in a line.
const LINE: usize = 87;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_can_be_read() {
        let text = |name: &str| name.to_owned();
        let mut transcript = Transcript::new(Terms {
            about: text("a"),
            server: text("b: c"),
            seed: u64::MAX,
            user: text("d"),
            target: (text("::1"), 65535),
            kex: text("e"),
            host_key: text("f"),
            cipher: text("g"),
            mac: text("h"),
            compression: text("i"),
            signature: text("j"),
            key: text("k"),
        });
        transcript.add(Speaker::Client, b"hello");
        transcript.add(Speaker::Client, &[0xff; 200]);
        transcript.add(Speaker::Server, b"");
        transcript.add(Speaker::Server, b"world");
        let written = transcript.to_string();
        assert!(written.lines().all(|line| line.len() <= 118), "{written}");
        assert_eq!(written.parse(), Ok(transcript));
    }
}
