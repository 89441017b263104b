//! Authentication: RFC 4252 and RFC 4256. The messages of `gssapi-with-mic` are beside, in `gssapi`.

use std::fmt;

use super::{Encode, gssapi::Mechanisms};
use crate::{
    codec::{DecodeError, NameList, Put, Reader, Sensitive},
    field::{Field, messages},
    list::{List, ListItem},
    number::{AuthMethod, Number},
};

messages! {
    /// The attempt failed or does not suffice (RFC 4252 section 5.1).
    UserauthFailure<'a> = USERAUTH_FAILURE {
        /// Methods that may go on.
        methods: NameList<'a>,
        /// Whether the attempt itself succeeded, and more is required.
        partial_success: bool,
    }

    /// The user is authenticated (RFC 4252 section 5.1).
    UserauthSuccess = USERAUTH_SUCCESS

    /// A text for the user (RFC 4252 section 5.4).
    UserauthBanner<'a> = USERAUTH_BANNER {
        /// Any number of lines; not to be shown raw.
        message: &'a [u8],
        /// Language tag.
        language: &'a [u8],
    }

    /// The queried key would be accepted (RFC 4252 section 7).
    UserauthPkOk<'a> = USERAUTH_PK_OK {
        /// The query's algorithm.
        algorithm: &'a str,
        /// The query's key.
        key: &'a [u8],
    }

    /// The password has expired (RFC 4252 section 8).
    UserauthPasswdChangereq<'a> = USERAUTH_PASSWD_CHANGEREQ {
        /// For the user; not to be shown raw.
        prompt: &'a [u8],
        /// Language tag.
        language: &'a [u8],
    }

    /// Questions for the user (RFC 4256 section 3.2).
    UserauthInfoRequest<'a> = USERAUTH_INFO_REQUEST {
        /// A title; not to be shown raw.
        name: &'a [u8],
        /// An explanation; not to be shown raw.
        instruction: &'a [u8],
        /// Language tag.
        language: &'a [u8],
        /// The questions; none is legal.
        prompts: Prompts<'a>,
    }

    /// The user's answers (RFC 4256 section 3.4).
    UserauthInfoResponse<'a> = USERAUTH_INFO_RESPONSE {
        /// One for each prompt, in order.
        responses: Responses<'a>,
    }
}

/// The client asks to be authenticated (RFC 4252 section 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserauthRequest<'a> {
    /// Who wants in. In UTF-8 by definition; kept as bytes.
    pub user: &'a [u8],
    /// The service to start, such as `ssh-connection`.
    pub service: &'a str,
    /// How, with its proof.
    pub method: UserauthMethod<'a>,
}

/// The method of a [`UserauthRequest`], with its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserauthMethod<'a> {
    /// `none`: asks which methods there are (RFC 4252 section 5.2).
    None,
    /// `password` (RFC 4252 section 8).
    Password {
        /// In UTF-8 by definition; kept as bytes.
        password: Sensitive<'a>,
    },
    /// `password` with a new one (RFC 4252 section 8).
    PasswordChange {
        /// The expired password.
        old: Sensitive<'a>,
        /// The password to be.
        new: Sensitive<'a>,
    },
    /// `publickey` without signature: would this key do? (RFC 4252 section 7)
    PublicKeyQuery {
        /// Signature algorithm.
        algorithm: &'a str,
        /// Public key or certificate.
        key: &'a [u8],
    },
    /// `publickey` (RFC 4252 section 7).
    PublicKey {
        /// Signature algorithm.
        algorithm: &'a str,
        /// Public key or certificate.
        key: &'a [u8],
        /// Of what [`UserauthRequest::put_signed`] gives.
        signature: &'a [u8],
    },
    /// `keyboard-interactive` (RFC 4256 section 3.1).
    KeyboardInteractive {
        /// Language tag, deprecated.
        language: &'a [u8],
        /// Comma-separated hints of the user.
        submethods: &'a [u8],
    },
    /// `hostbased` (RFC 4252 section 9).
    HostBased {
        /// Host key algorithm of the client's host.
        algorithm: &'a str,
        /// Public host key of the client's host.
        key: &'a [u8],
        /// The client's host, fully qualified.
        host: &'a str,
        /// The user there.
        local_user: &'a str,
        /// Of what [`UserauthRequest::put_signed`] gives.
        signature: &'a [u8],
    },
    /// `gssapi-with-mic` (RFC 4462 section 3.2).
    GssapiWithMic {
        /// In order of preference.
        mechanisms: Mechanisms<'a>,
    },
    /// `gssapi-keyex` (RFC 4462 section 4).
    GssapiKeyex {
        /// GSS_GetMIC of session identifier and request.
        mic: &'a [u8],
    },
    /// A method that this crate does not know.
    Other {
        /// The method.
        name: &'a str,
        /// Its fields, which may hold a secret.
        data: Sensitive<'a>,
    },
}

impl<'a> UserauthMethod<'a> {
    /// The method's name on the wire.
    pub fn name(&self) -> &'a str {
        match self {
            Self::Other { name, .. } => name,
            known => known.auth_method().map_or("", AuthMethod::name),
        }
    }

    /// The method as context for the messages that follow; `None` for unknown ones.
    pub fn auth_method(&self) -> Option<AuthMethod> {
        Some(match self {
            Self::None => AuthMethod::None,
            Self::Password { .. } | Self::PasswordChange { .. } => AuthMethod::Password,
            Self::PublicKeyQuery { .. } | Self::PublicKey { .. } => AuthMethod::PublicKey,
            Self::KeyboardInteractive { .. } => AuthMethod::KeyboardInteractive,
            Self::HostBased { .. } => AuthMethod::HostBased,
            Self::GssapiWithMic { .. } => AuthMethod::GssapiWithMic,
            Self::GssapiKeyex { .. } => AuthMethod::GssapiKeyex,
            Self::Other { .. } => return None,
        })
    }

    fn decode(name: &'a str, reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(match AuthMethod::from_name(name) {
            Some(AuthMethod::None) => Self::None,
            Some(AuthMethod::Password) => match reader.bool()? {
                false => Self::Password { password: Field::take(reader)? },
                true => Self::PasswordChange { old: Field::take(reader)?, new: Field::take(reader)? },
            },
            Some(AuthMethod::PublicKey) => {
                let signed = reader.bool()?;
                let (algorithm, key) = (reader.text()?, reader.string()?);
                match signed {
                    false => Self::PublicKeyQuery { algorithm, key },
                    true => Self::PublicKey { algorithm, key, signature: reader.string()? },
                }
            }
            Some(AuthMethod::KeyboardInteractive) => {
                Self::KeyboardInteractive { language: reader.string()?, submethods: reader.string()? }
            }
            Some(AuthMethod::HostBased) => Self::HostBased {
                algorithm: reader.text()?,
                key: reader.string()?,
                host: reader.text()?,
                local_user: reader.text()?,
                signature: reader.string()?,
            },
            Some(AuthMethod::GssapiWithMic) => Self::GssapiWithMic { mechanisms: Field::take(reader)? },
            Some(AuthMethod::GssapiKeyex) => Self::GssapiKeyex { mic: reader.string()? },
            None => Self::Other { name, data: Sensitive(reader.rest()) },
        })
    }

    fn encode(&self, out: &mut Vec<u8>) {
        match *self {
            Self::None => {}
            Self::Password { password } => {
                out.put_bool(false);
                password.put(out);
            }
            Self::PasswordChange { old, new } => {
                // No growth between the two, which would leave a copy of the first behind.
                out.reserve(1 + 4 + old.0.len() + 4 + new.0.len());
                out.put_bool(true);
                old.put(out);
                new.put(out);
            }
            Self::PublicKeyQuery { algorithm, key } => {
                out.put_bool(false);
                out.put_text(algorithm);
                out.put_string(key);
            }
            Self::PublicKey { algorithm, key, signature } => {
                out.put_bool(true);
                out.put_text(algorithm);
                out.put_string(key);
                out.put_string(signature);
            }
            Self::KeyboardInteractive { language, submethods } => {
                out.put_string(language);
                out.put_string(submethods);
            }
            Self::HostBased { algorithm, key, host, local_user, signature } => {
                out.put_text(algorithm);
                out.put_string(key);
                out.put_text(host);
                out.put_text(local_user);
                out.put_string(signature);
            }
            Self::GssapiWithMic { mechanisms } => mechanisms.put(out),
            Self::GssapiKeyex { mic } => out.put_string(mic),
            Self::Other { data, .. } => out.put_bytes(data.0),
        }
    }
}

impl<'a> UserauthRequest<'a> {
    /// Decodes what follows the message number.
    pub fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let (user, service, name) = (reader.string()?, reader.text()?, reader.text()?);
        Ok(Self { user, service, method: UserauthMethod::decode(name, reader)? })
    }

    /// Appends what the request's signature is made of: the session identifier, then the request up to the signature
    /// (RFC 4252 sections 7 and 9).
    pub fn put_signed(&self, session_id: &[u8], out: &mut Vec<u8>) {
        out.put_string(session_id);
        self.encode(out);
        if let UserauthMethod::PublicKey { signature, .. } | UserauthMethod::HostBased { signature, .. } =
            self.method
        {
            out.truncate(out.len() - LENGTH - signature.len());
        }
    }
}

impl Encode for UserauthRequest<'_> {
    fn encode(&self, out: &mut Vec<u8>) {
        out.put_u8(Number::USERAUTH_REQUEST.0);
        out.put_string(self.user);
        out.put_text(self.service);
        out.put_text(self.method.name());
        self.method.encode(out);
    }
}

/// The questions of a [`UserauthInfoRequest`].
pub type Prompts<'a> = List<'a, Prompt<'a>>;

/// One question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prompt<'a> {
    /// Not to be shown raw.
    pub text: &'a [u8],
    /// Whether the answer may be seen while it is typed.
    pub echo: bool,
}

impl<'a> Field<'a> for Prompt<'a> {
    fn take(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(Self { text: reader.string()?, echo: reader.bool()? })
    }

    fn put(&self, out: &mut Vec<u8>) {
        out.put_string(self.text);
        out.put_bool(self.echo);
    }

    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// Bytes before a string, which say how long it is (RFC 4251 section 5).
const LENGTH: usize = 4;

/// Most prompts in one request, and most responses: a person has to answer them.
pub const MAX_PROMPTS: usize = 100;

impl<'a> ListItem<'a> for Prompt<'a> {
    const WHAT: &'static str = "prompts";
    const LIMIT: usize = MAX_PROMPTS;
}

/// The answers of a [`UserauthInfoResponse`].
pub type Responses<'a> = List<'a, Sensitive<'a>>;

impl<'a> ListItem<'a> for Sensitive<'a> {
    const WHAT: &'static str = "responses";
    const LIMIT: usize = MAX_PROMPTS;
}

impl UserauthInfoResponse<'_> {
    /// Appends the message that gives these answers, without an intermediate copy of them.
    ///
    /// # Errors
    /// [`DecodeError::TooMany`] for more than [`MAX_PROMPTS`], with `out` as it was.
    pub fn encode_answers(answers: &[impl AsRef<[u8]>], out: &mut Vec<u8>) -> Result<(), DecodeError> {
        let count = u32::try_from(answers.len()).unwrap_or(u32::MAX);
        Responses::check_count(count)?;
        // No growth on the way, which would leave copies of answers behind.
        out.reserve(1 + 4 + answers.iter().map(|answer| 4 + answer.as_ref().len()).sum::<usize>());
        out.put_u8(Number::USERAUTH_INFO_RESPONSE.0);
        out.put_u32(count);
        answers.iter().for_each(|answer| out.put_string(answer.as_ref()));
        Ok(())
    }
}
