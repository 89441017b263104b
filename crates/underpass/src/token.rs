//! Keys on PKCS#11 tokens, and the PINs that open them.

use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;

use underpass_crypto::Secret;
use underpass_pkcs11::{KeyUri, Module, TokenError, TokenKey};
use underpass_wire::untrusted;
use zeroize::Zeroizing;

use crate::{Error, Settings};

/// How often a PIN is asked for. Common tokens lock themselves after three wrong ones.
const PIN_PROMPTS: u32 = 3;

/// Bytes of a PIN's line, with its end. PKCS#11 tokens take up to 255.
const MAX_PIN_LINE: usize = 1024;

/// A key on a token, with what the settings say to open it.
#[derive(Clone)]
pub(crate) struct Key {
    key: TokenKey,
    pin: Option<Secret>,
}

/// The keys that `uri` fits. Blocks on the token and, if it shows keys only to its owner, on the person; no longer than
/// a login may take.
///
/// # Errors
/// There is none, or the token cannot be used.
pub(crate) fn keys(settings: &Settings, uri: &KeyUri) -> Result<Vec<Key>, Error> {
    let (tell, told) = mpsc::channel();
    let (mine, uri) = (settings.clone(), uri.clone());
    let thread = thread::Builder::new().name("underpass token".to_owned());
    thread
        .spawn(move || tell.send(find(&mine, &uri)))
        .map_err(|error| Error::identity(NAME, error.to_string()))?;
    told.recv_timeout(settings.auth_timeout).unwrap_or_else(|_| {
        let seconds = settings.auth_timeout.as_secs();
        Err(Error::identity(NAME, format!("the PKCS#11 module gave no answer within {seconds} s"))
            .with_advice("pkcs11-tool --module MODULE -L tells whether the token works"))
    })
}

/// What keys on tokens are called where none is known yet.
const NAME: &str = "on a PKCS#11 token";

fn find(settings: &Settings, uri: &KeyUri) -> Result<Vec<Key>, Error> {
    let module = uri.module_path.as_ref().or(settings.pkcs11_provider.as_ref());
    let module = module.ok_or_else(|| {
        Error::configuration("no PKCS#11 module is named for the key on a token").with_advice(
            "name it with PKCS11Provider (-I), or in the URI: pkcs11:...?module-path=/path/to/module.so",
        )
    })?;
    let configured = match (&uri.pin, &uri.pin_source) {
        (Some(pin), _) => Some(pin.clone()),
        (None, Some(file)) => Some(read_pin(file)?),
        (None, None) => settings.pin.clone(),
    };
    let fault = |error: TokenError| problem(NAME, &error);
    let module = Module::load(module).map_err(fault)?;
    // Whether it is the last try is not known before a key is.
    let found =
        with_pin(settings, configured.as_ref(), || false, |pin| module.keys(uri, pin)).map_err(fault)?;
    Ok(found.into_iter().map(|key| Key { key, pin: configured.clone() }).collect())
}

/// The first line of a file.
fn read_pin(file: &Path) -> Result<Secret, Error> {
    let fault = |why: &dyn fmt::Display| {
        Error::configuration(format!("cannot read the PIN in {}: {why}", file.display()))
    };
    let mut opened = File::open(file).map_err(|error| fault(&error))?;
    // Of its whole size from the beginning: bytes that grow leave copies behind that nobody wipes.
    let mut bytes = Zeroizing::new([0; MAX_PIN_LINE]);
    let mut len = 0;
    while len < bytes.len() && !bytes[..len].contains(&b'\n') {
        match opened.read(&mut bytes[len..]).map_err(|error| fault(&error))? {
            0 => break,
            more => len += more,
        }
    }
    let end = bytes[..len].iter().position(|byte| *byte == b'\n');
    if end.is_none() && len == bytes.len() {
        return Err(fault(&"its first line is too long"));
    }
    let line = &bytes[..end.unwrap_or(len)];
    Ok(Secret::new(line.strip_suffix(b"\r").unwrap_or(line)))
}

impl Key {
    pub(crate) fn public(&self) -> &[u8] {
        self.key.public_key()
    }

    pub(crate) fn algorithms(&self) -> &'static [&'static str] {
        self.key.algorithms()
    }

    /// X.509 certificates in DER: its own, then those of the authorities above.
    pub(crate) fn certificates(&self) -> Vec<Vec<u8>> {
        self.key.certificates().iter().map(|certificate| certificate.der().to_vec()).collect()
    }

    /// What to call it.
    pub(crate) fn name(&self) -> String {
        format!(
            "`{}` on the token `{}`",
            untrusted(self.key.label().as_bytes()),
            untrusted(self.key.token().as_bytes())
        )
    }

    /// Signs. Blocks on the token and on the person.
    pub(crate) fn sign(&self, settings: &Settings, algorithm: &str, data: &[u8]) -> Result<Vec<u8>, Error> {
        let last_try = || self.key.is_on_last_try();
        with_pin(settings, self.pin.as_ref(), last_try, |pin| self.key.sign(algorithm, data, pin))
            .map_err(|error| problem(&self.name(), &error))
    }
}

/// Works without a PIN, then, if the token wants one, with that of the settings, then with those that the person gives.
/// The last try that a token allows is the person's.
fn with_pin<T>(
    settings: &Settings,
    configured: Option<&Secret>,
    last_try: impl Fn() -> bool,
    work: impl Fn(Option<&Secret>) -> Result<T, TokenError>,
) -> Result<T, TokenError> {
    let mut failure = match work(None) {
        Err(error) if error.wants_pin() => error,
        done => return done,
    };
    if let Some(pin) = configured
        && !last_try()
    {
        match work(Some(pin)) {
            Err(error) if error.wants_pin() => failure = error,
            done => return done,
        }
    }
    for attempt in 1..=PIN_PROMPTS {
        let (TokenError::PinMissing { token } | TokenError::WrongPin { token, .. }) = &failure else { break };
        if settings.batch {
            break;
        }
        let Some(pin) = settings.prompter().pin(token, attempt, last_try()) else { break };
        match work(Some(&pin)) {
            Err(error) if error.wants_pin() => failure = error,
            done => return done,
        }
    }
    Err(failure)
}

fn problem(name: &str, error: &TokenError) -> Error {
    Error::identity(PathBuf::from(name), error.to_string()).with_advice(error.advice())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(contents: &[u8]) -> Result<Secret, Error> {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("pin");
        std::fs::write(&file, contents).unwrap();
        read_pin(&file)
    }

    #[test]
    fn a_pin_is_the_first_line_of_its_file() {
        for contents in [&b"4321"[..], b"4321\n", b"4321\r\nmore\n"] {
            assert_eq!(read(contents).unwrap().expose(), b"4321");
        }
        assert_eq!(read(b"").unwrap().expose(), b"");
    }

    #[test]
    fn of_a_file_that_is_no_pin_only_the_beginning_is_read() {
        assert!(read(&[b'1'; MAX_PIN_LINE]).unwrap_err().to_string().contains("too long"));
        assert_eq!(read(&[&b"1\n"[..], &[b'1'; MAX_PIN_LINE]].concat()).unwrap().expose(), b"1");
        assert!(
            read_pin(Path::new("/nonexistent/pin")).unwrap_err().to_string().contains("/nonexistent/pin")
        );
    }
}
