//! Paths as they are written in settings, completed as ssh does.

use std::path::PathBuf;

use underpass::Error;
use underpass_config::{Expansion, Surroundings, Tokens, expand, expand_path};
use underpass_wire::Untrusted;

use crate::{args::Args, resolve};

/// Completes paths for one destination.
pub(crate) struct Paths<'a> {
    machine: &'a dyn Surroundings,
    tokens: Tokens,
}

impl<'a> Paths<'a> {
    /// # Errors
    /// There is no destination, or its host makes no sense.
    pub(crate) fn new(args: &Args, machine: &'a dyn Surroundings) -> Result<Self, Error> {
        let host = resolve::host(args)?;
        let original_host = args.destination.as_ref().map_or_else(|| host.clone(), |it| it.host.clone());
        let local = machine.local().clone();
        let jump = args.given.get("ProxyJump").and_then(|values| values.first());
        let tokens = Tokens {
            port: args.server.port.unwrap_or(22),
            user: args.login.user.clone().or_else(|| local.user.clone()),
            alias: args.host_key.alias.clone().unwrap_or_else(|| original_host.clone()),
            jump: jump.filter(|jump| !jump.eq_ignore_ascii_case("none")).cloned().unwrap_or_default(),
            local,
            host,
            original_host,
        };
        Ok(Self { machine, tokens })
    }

    /// The paths that are the value of a keyword; `none` is no path.
    ///
    /// # Errors
    /// Something in a path cannot be replaced.
    pub(crate) fn all(&self, keyword: &str, paths: &[String]) -> Result<Vec<PathBuf>, Error> {
        let some = paths.iter().filter(|path| !path.eq_ignore_ascii_case("none"));
        some.map(|path| self.one(keyword, path)).collect()
    }

    /// Where the agent listens: as ssh has it, `SSH_AUTH_SOCK` and `$NAME` are variables that say so.
    ///
    /// # Errors
    /// Something in the path cannot be replaced.
    pub(crate) fn agent_socket(&self, value: &str) -> Result<Option<PathBuf>, Error> {
        let named = |name: &str| {
            let value = self.machine.variable(name).filter(|value| !value.is_empty());
            Ok(value.map(PathBuf::from))
        };
        match value.strip_prefix('$') {
            _ if value.eq_ignore_ascii_case("none") => Ok(None),
            _ if value == "SSH_AUTH_SOCK" => named(value),
            Some(name) if !name.starts_with('{') => named(name),
            _ => self.one("IdentityAgent", value).map(Some),
        }
    }

    /// The text that is the value of a keyword.
    ///
    /// # Errors
    /// Something in it cannot be replaced.
    pub(crate) fn text(&self, keyword: &str, text: &str) -> Result<String, Error> {
        let variable = |name: &str| self.machine.variable(name);
        expand(text, Expansion::of(keyword), &self.tokens, variable).map_err(|error| {
            let text = Untrusted(text.as_bytes());
            Error::configuration(format!("{keyword}: cannot complete `{text}`: {error}"))
        })
    }

    /// The path that is the value of a keyword.
    ///
    /// # Errors
    /// Something in it cannot be replaced.
    pub(crate) fn one(&self, keyword: &str, path: &str) -> Result<PathBuf, Error> {
        expand_path(path, Expansion::of(keyword), &self.tokens, self.machine).map_err(|error| {
            let path = Untrusted(path.as_bytes());
            Error::configuration(format!("{keyword}: cannot complete `{path}`: {error}"))
        })
    }
}
