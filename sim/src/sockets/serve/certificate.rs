//! The certificate of the served API Manager: made at the start with an authority of its own, or
//! given.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

/// The hosts that a certificate made here is for, besides those that are asked for.
const HOSTS: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// Where the parts of a certificate made here are.
pub(super) struct Made {
    /// What a gateway has to trust.
    pub(super) authority: PathBuf,
    /// The certificate.
    pub(super) certificate: PathBuf,
    /// Its key.
    pub(super) key: PathBuf,
}

/// Makes an authority and a certificate for this machine and `hosts` in `folder`. An authority
/// that is there already is kept with its certificate, so that whoever trusts it goes on.
///
/// # Errors
/// When they cannot be made or written.
pub(super) fn make(folder: &Path, hosts: &[String]) -> io::Result<Made> {
    fs::create_dir_all(folder)?;
    let made = Made {
        authority: folder.join("ca.pem"),
        certificate: folder.join("cert.pem"),
        key: folder.join("key.pem"),
    };
    if hosts.is_empty()
        && [&made.authority, &made.certificate, &made.key].iter().all(|it| it.exists())
    {
        return Ok(made);
    }
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate().map_err(io::Error::other)?;
    // Authorities of one name and different keys would be taken for each other.
    let mark: String = authority_key
        .public_key_raw()
        .iter()
        .skip(1)
        .take(4)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let name = format!("Driftless simulated APIM {mark}");
    authority.distinguished_name.push(DnType::CommonName, name);
    let issuer =
        CertifiedIssuer::self_signed(authority, authority_key).map_err(io::Error::other)?;
    let names: Vec<String> =
        HOSTS.iter().map(|host| (*host).to_owned()).chain(hosts.iter().cloned()).collect();
    let key = KeyPair::generate().map_err(io::Error::other)?;
    let mut params = CertificateParams::new(names).map_err(io::Error::other)?;
    params.distinguished_name.push(DnType::CommonName, "simulated APIM");
    let certificate = params.signed_by(&key, &issuer).map_err(io::Error::other)?;
    write_private(&made.key, key.serialize_pem().as_bytes())?;
    fs::write(&made.certificate, certificate.pem())?;
    fs::write(&made.authority, issuer.pem())?;
    Ok(made)
}

/// Writes a file that only its owner can read.
pub(super) fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::io::Write as _;
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(bytes)
}
