//! Who may use a tunnel's ports, and where clients of dynamic forwards may go.

mod clients;
mod destinations;
mod network;

pub(crate) use clients::Judgement;
pub use clients::{AccessList, ClientAccess};
pub use destinations::Destinations;

/// Entries of a list: more are a mistake.
const MAX_ENTRIES: usize = 4096;

/// The entries of a list, between commas and white space.
fn entries(text: &str) -> Result<Vec<&str>, crate::Error> {
    let entries: Vec<&str> =
        text.split([',', ' ', '\t', '\n']).filter(|entry| !entry.is_empty()).take(MAX_ENTRIES + 1).collect();
    match entries.len() > MAX_ENTRIES {
        true => Err(crate::Error::configuration(format!("a list has more than {MAX_ENTRIES} entries"))),
        false => Ok(entries),
    }
}
