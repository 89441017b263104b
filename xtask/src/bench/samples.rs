//! What has been measured so far.

use std::collections::HashMap;

use super::ciphers::CipherSet;
use super::clients::Client;
use super::metrics::Metric;

/// A client in one configuration.
#[derive(Clone, Copy)]
pub(crate) struct Entrant {
    pub(crate) client: &'static Client,
    /// `None` for a relay, which is measured once for all cipher sets.
    pub(crate) ciphers: Option<&'static CipherSet>,
}

impl Entrant {
    /// Every client with every cipher set that makes a difference to it.
    pub(crate) fn all(clients: &[&'static Client], ciphers: &[&'static CipherSet]) -> Vec<Self> {
        let (ssh, relays): (Vec<_>, Vec<_>) =
            clients.iter().copied().partition(|client| client.takes_ciphers());
        let ssh =
            ciphers.iter().flat_map(|set| ssh.iter().map(|&client| Self { client, ciphers: Some(set) }));
        ssh.chain(relays.iter().map(|&client| Self { client, ciphers: None })).collect()
    }

    pub(crate) fn title(&self) -> String {
        match self.ciphers {
            Some(ciphers) => format!("{} ({})", self.client.title, ciphers.name),
            None => self.client.title.to_owned(),
        }
    }

    fn key(&self) -> Key {
        (self.client.name, self.ciphers.map(|ciphers| ciphers.name))
    }
}

type Key = (&'static str, Option<&'static str>);

/// All values of all figures, and what went wrong.
#[derive(Default)]
pub(crate) struct Samples {
    values: HashMap<(&'static str, Key), Vec<f64>>,
    pub(crate) failures: Vec<String>,
}

impl Samples {
    pub(crate) fn add(&mut self, metric: &Metric, entrant: &Entrant, measured: &[f64]) {
        for (figure, value) in metric.figures.iter().zip(measured) {
            self.values.entry((figure.title, entrant.key())).or_default().push(*value);
        }
    }

    pub(crate) fn of(&self, figure: &'static str, entrant: &Entrant) -> &[f64] {
        self.values.get(&(figure, entrant.key())).map_or(&[], Vec::as_slice)
    }
}
