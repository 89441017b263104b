use std::{fmt, sync::Arc};

use underpass_crypto::{Secret, Signer};
use underpass_wire::untrusted;

use crate::{
    Format, KeyFileError, MAX_ENTRIES, MAX_FILE_LEN, PrivateKey, PublicKey, StoreType, format,
    limits::Unlock, private::Key, readers, subject,
};

/// What opens a store.
#[derive(Debug, Clone, Copy, Default)]
pub struct Passwords<'a> {
    /// The store's. An empty one counts as none.
    pub store: Option<&'a Secret>,
    /// That of the keys in it, where it is another, as it can be in Java's stores.
    pub key: Option<&'a Secret>,
}

impl<'a> From<Option<&'a Secret>> for Passwords<'a> {
    fn from(store: Option<&'a Secret>) -> Self {
        Self { store, key: None }
    }
}

/// The keys and certificates of a file, or of bytes from elsewhere.
#[derive(Debug, Clone)]
pub struct Store {
    format: Format,
    encrypted: bool,
    entries: Vec<Entry>,
}

/// A key with all that belongs to it.
#[derive(Clone, Default)]
pub struct Entry {
    /// The private half.
    pub private: Private,
    /// The public half, if the file shows it.
    pub public: Option<PublicKey>,
    /// X.509 certificates in DER: its own, then those of the authorities above.
    pub certificates: Vec<Vec<u8>>,
    /// The subject of its certificate as RFC 4514 writes it; empty without a certificate.
    pub subject: String,
    /// What the store calls it: an alias, friendly name or key identifier. Escape it before showing it.
    pub name: String,
    /// The comment of a key that was made for SSH. Escape it before showing it.
    pub comment: String,
}

/// The private half of an entry.
#[derive(Debug, Clone, Default)]
pub enum Private {
    /// There is none: the entry is a public key or a certificate.
    #[default]
    Absent,
    /// It is ready to sign.
    Ready(Arc<dyn Signer>),
    /// It is there, and this is why it cannot be used.
    Unusable(KeyFileError),
}

impl Store {
    /// Opens whatever format the bytes are in, which their content tells.
    ///
    /// A store that can be read in part without its password is opened in part: what stays locked is an entry that is
    /// [`Private::Unusable`]. This takes as long as the file's key derivations ask for, which is
    /// [limited](crate::MAX_WORK).
    ///
    /// # Errors
    /// [`KeyFileError::wants_passphrase`] tells whether another password may help. All others are final.
    pub fn open(bytes: &[u8], passwords: Passwords<'_>) -> Result<Self, KeyFileError> {
        Self::open_as(StoreType::Auto, bytes, passwords)
    }

    /// Opens what must be a store of that type.
    ///
    /// # Errors
    /// [`KeyFileError::NotA`] if the content is something else, and those of [`Store::open`].
    pub fn open_as(wanted: StoreType, bytes: &[u8], passwords: Passwords<'_>) -> Result<Self, KeyFileError> {
        if bytes.len() > MAX_FILE_LEN {
            return Err(KeyFileError::TooLarge { len: bytes.len() });
        }
        let (content, format) = format::unwrap(bytes);
        if !wanted.takes(format) {
            return Err(KeyFileError::NotA { wanted, found: format });
        }
        let read = readers::of(format).ok_or(KeyFileError::Format(format))?;
        let Opened { encrypted, entries } = read(&content, &Unlock::new(passwords.store, passwords.key))?;
        if entries.len() > MAX_ENTRIES {
            return Err(KeyFileError::TooManyEntries);
        }
        Ok(Self { format, encrypted, entries })
    }

    /// The format that the content has.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Whether any of it is encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.encrypted
    }

    /// Everything in it, in the order of the file.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entry that a subject names, by the rule of [`select`](crate::select).
    pub fn select(&self, subject: &str) -> Option<&Entry> {
        subject::select(&self.entries, subject)
    }

    /// The key to log on with: the one that [`Store::select`] finds.
    ///
    /// # Errors
    /// There is no such entry, it has no private half, or that cannot be used.
    pub fn private_key(&self, subject: &str) -> Result<PrivateKey, KeyFileError> {
        let entry = self.select(subject).ok_or_else(|| match self.entries.is_empty() {
            true => KeyFileError::Format(self.format),
            false => KeyFileError::NoSuchEntry(subject.to_owned()),
        })?;
        match &entry.private {
            Private::Ready(signer) => Ok(PrivateKey {
                signer: signer.clone(),
                comment: entry.label().to_owned(),
                encrypted: self.encrypted,
                certificates: entry.certificates.clone(),
            }),
            Private::Unusable(error) => Err(error.clone()),
            Private::Absent => Err(KeyFileError::Format(self.format)),
        }
    }
}

impl Entry {
    /// A key that may have been read.
    pub(crate) fn of_key(key: Key) -> Self {
        let public = key.as_ref().ok().and_then(|key| PublicKey::from_blob(key.public_key()).ok());
        let private = match key {
            Ok(signer) => Private::Ready(signer),
            Err(error) => Private::Unusable(error),
        };
        Self { private, public, ..Self::default() }
    }

    pub(crate) fn of_public(public: PublicKey) -> Self {
        let comment = public.comment().to_owned();
        Self { public: Some(public), comment, ..Self::default() }
    }

    /// What to call it: its comment, name or subject, whichever there is. Escape it before showing it.
    pub fn label(&self) -> &str {
        [&self.comment, &self.name, &self.subject]
            .into_iter()
            .find(|text| !text.is_empty())
            .map_or("", |text| text)
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { private, public, certificates, .. } = self;
        write!(
            f,
            "Entry({private:?}, {public:?}, {} certificates, {})",
            certificates.len(),
            untrusted(self.label().as_bytes())
        )
    }
}

/// What a reader of one format gives.
pub(crate) struct Opened {
    /// Whether any of it is encrypted.
    pub(crate) encrypted: bool,
    pub(crate) entries: Vec<Entry>,
}

impl Opened {
    /// Nothing in it is encrypted.
    pub(crate) fn plain(entries: Vec<Entry>) -> Self {
        Self { encrypted: false, entries }
    }
}
