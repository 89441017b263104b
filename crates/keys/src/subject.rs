//! Finding an entry by what people call it.

use underpass_crypto::x509::find_by_name;

use crate::{Entry, Private};

/// The first entry whose subject, or name in the store, is `wanted`; if there is none, the first that contains it. `*` is
/// the first that can sign, or else the first. Neither case nor the spaces after commas matter, and a value with a comma
/// is put in quotes: `CN=www.example.com, O="Example, Inc."`.
pub fn select<'a>(entries: &'a [Entry], wanted: &str) -> Option<&'a Entry> {
    if wanted.trim() == "*" {
        let ready = |entry: &&Entry| matches!(entry.private, Private::Ready(_));
        let private = |entry: &&Entry| !matches!(entry.private, Private::Absent);
        let first = entries.iter().find(ready).or_else(|| entries.iter().find(private));
        return first.or_else(|| entries.first());
    }
    let names: Vec<_> = entries.iter().map(|entry| [entry.subject.as_str(), entry.name.as_str()]).collect();
    find_by_name(wanted, &names).map(|found| &entries[found])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_found_by_its_subject_or_its_name_or_as_any() {
        let entry = |subject: &str, name: &str| Entry {
            subject: subject.to_owned(),
            name: name.to_owned(),
            ..Entry::default()
        };
        let entries = [entry("CN=www.example.com", ""), entry("CN=mail", "webmail")];
        let found = |wanted| select(&entries, wanted).map(|entry| entry.subject.as_str());
        assert_eq!(found("cn=MAIL"), Some("CN=mail"));
        assert_eq!(found("webmail"), Some("CN=mail"));
        assert_eq!(found(" * "), Some("CN=www.example.com"));
        assert_eq!(found("CN=ftp"), None);
    }
}
