//! Paths of the Public Key Interoperability Test Suite, version 1.0.1, of NIST: those without policies and revocation, and
//! without what is read no more: dates before 1970, unique identifiers, and self-issued certificates that are not
//! counted.

use super::{blob, certificates};
use crate::x509::{
    Chain, Roots, X509Certificate,
    X509Error::{self, *},
};

#[test]
fn paths_of_nist_s_suite_are_judged_as_it_says() {
    let mut roots = Roots::default();
    roots.add(find("TrustAnchorRootCertificate").der()).unwrap();
    for Row { holder, authorities, host, outcome } in ROWS {
        let names = [*holder].into_iter().chain(authorities.split_whitespace());
        let shown: Vec<X509Certificate> = names.map(find).collect();
        let subject = shown[0].subject();
        let common = subject.split(',').next().and_then(|part| part.strip_prefix("CN=")).unwrap();
        let host = if host.is_empty() { common } else { *host };
        let blob = blob(&shown);
        let found = Chain::parse(&blob).and_then(|chain| chain.check_host(host, NOW, &roots)).map(|_| ());
        assert_eq!(found.map_err(whatever_time), *outcome, "{holder}");
    }
}

/// January 2020: the suite is good from 2010 to 2030.
const NOW: u64 = 1_577_836_800;

/// The file holds the name of each before it.
fn find(name: &str) -> X509Certificate {
    let (_, rest) = include_str!("pkits.pem")
        .split_once(&format!("{name}\n"))
        .unwrap_or_else(|| panic!("{name} is not there"));
    let (block, _) = rest.split_at(rest.find(END).unwrap() + END.len());
    certificates(block.as_bytes()).swap_remove(0)
}

const END: &str = "-----END CERTIFICATE-----\n";

/// How long ago does not matter.
fn whatever_time(error: X509Error) -> X509Error {
    match error {
        Expired(_) => Expired(0),
        NotYet(_) => NotYet(0),
        AuthorityExpired(_) => AuthorityExpired(0),
        AuthorityNotYet(_) => AuthorityNotYet(0),
        other => other,
    }
}

struct Row {
    holder: &'static str,
    /// From the holder's to that of the root, or in any order.
    authorities: &'static str,
    /// Empty where the common name is the only one.
    host: &'static str,
    outcome: Result<(), X509Error>,
}

const fn row(
    holder: &'static str,
    authorities: &'static str,
    host: &'static str,
    outcome: Result<(), X509Error>,
) -> Row {
    Row { holder, authorities, host, outcome }
}

#[rustfmt::skip]
const ROWS: &[Row] = &[
    row("ValidCertificatePathTest1EE", "GoodCACert", "", Ok(())),
    row("InvalidCASignatureTest2EE", "BadSignedCACert", "", Err(Malformed)),
    row("InvalidEESignatureTest3EE", "GoodCACert", "", Err(Signature)),
    row("ValidDSASignaturesTest4EE", "DSACACert", "", Err(Algorithm)),
    row("InvalidCAnotBeforeDateTest1EE", "BadnotBeforeDateCACert", "", Err(AuthorityNotYet(0))),
    row("InvalidEEnotBeforeDateTest2EE", "GoodCACert", "", Err(NotYet(0))),
    row("ValidGeneralizedTimenotBeforeDateTest4EE", "GoodCACert", "", Ok(())),
    row("InvalidCAnotAfterDateTest5EE", "BadnotAfterDateCACert", "", Err(AuthorityExpired(0))),
    row("InvalidEEnotAfterDateTest6EE", "GoodCACert", "", Err(Expired(0))),
    row("Invalidpre2000UTCEEnotAfterDateTest7EE", "GoodCACert", "", Err(Expired(0))),
    row("ValidGeneralizedTimenotAfterDateTest8EE", "GoodCACert", "", Ok(())),
    row("InvalidNameChainingTest1EE", "GoodCACert", "", Err(Issuer)),
    row("InvalidNameChainingOrderTest2EE", "NameOrderingCACert", "", Err(Issuer)),
    row("ValidBasicSelfIssuedOldWithNewTest1EE", "BasicSelfIssuedNewKeyCACert BasicSelfIssuedNewKeyOldWithNewCACert", "", Ok(())),
    row("InvalidMissingbasicConstraintsTest1EE", "MissingbasicConstraintsCACert", "", Err(Authority)),
    row("InvalidcAFalseTest2EE", "basicConstraintsCriticalcAFalseCACert", "", Err(Authority)),
    row("InvalidcAFalseTest3EE", "basicConstraintsNotCriticalcAFalseCACert", "", Err(Authority)),
    row("ValidbasicConstraintsNotCriticalTest4EE", "basicConstraintsNotCriticalCACert", "", Ok(())),
    row("InvalidpathLenConstraintTest5EE", "pathLenConstraint0CACert pathLenConstraint0subCACert", "", Err(Depth)),
    row("ValidpathLenConstraintTest7EE", "pathLenConstraint0CACert", "", Ok(())),
    row("InvalidpathLenConstraintTest9EE", "pathLenConstraint6CACert pathLenConstraint6subCA0Cert pathLenConstraint6subsubCA00Cert", "", Err(Depth)),
    row("InvalidpathLenConstraintTest11EE", "pathLenConstraint6CACert pathLenConstraint6subCA1Cert pathLenConstraint6subsubCA11Cert pathLenConstraint6subsubsubCA11XCert", "", Err(Depth)),
    row("ValidpathLenConstraintTest13EE", "pathLenConstraint6CACert pathLenConstraint6subCA4Cert pathLenConstraint6subsubCA41Cert pathLenConstraint6subsubsubCA41XCert", "", Ok(())),
    row("InvalidkeyUsageCriticalkeyCertSignFalseTest1EE", "keyUsageCriticalkeyCertSignFalseCACert", "", Err(Authority)),
    row("InvalidkeyUsageNotCriticalkeyCertSignFalseTest2EE", "keyUsageNotCriticalkeyCertSignFalseCACert", "", Err(Authority)),
    row("ValidkeyUsageNotCriticalTest3EE", "keyUsageNotCriticalCACert", "", Ok(())),
    row("ValidDNSnameConstraintsTest30EE", "nameConstraintsDNS1CACert", "testserver.testcertificates.gov", Ok(())),
    row("InvalidDNSnameConstraintsTest31EE", "nameConstraintsDNS1CACert", "testserver.invalidcertificates.gov", Err(Constraint)),
    row("ValidDNSnameConstraintsTest32EE", "nameConstraintsDNS2CACert", "testserver.testcertificates.gov", Ok(())),
    row("InvalidDNSnameConstraintsTest33EE", "nameConstraintsDNS2CACert", "invalidcertificates.gov", Err(Constraint)),
    row("InvalidDNSnameConstraintsTest38EE", "nameConstraintsDNS1CACert", "mytestcertificates.gov", Err(Constraint)),
    row("ValidUnknownNotCriticalCertificateExtensionTest1EE", "", "", Ok(())),
    row("InvalidUnknownCriticalCertificateExtensionTest2EE", "", "", Err(Critical)),
];
