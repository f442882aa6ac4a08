use std::error::Error;
use std::path::PathBuf;

type Source = Box<dyn Error + Send + Sync>;

/// Why a database cannot be used. No text here holds a password.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// No server, or it lets nobody in.
    #[error("cannot connect to PostgreSQL at {server}")]
    Connect {
        /// Host and port.
        server: String,
        /// What the server or the network said.
        #[source]
        source: Source,
    },
    /// The server's certificate did not pass.
    #[error(
        "PostgreSQL at {server} shows a certificate that is not trusted: name its authority with `sslrootcert=FILE` in \
         the database URL, or, on a network that you trust, use `sslmode=disable`"
    )]
    Untrusted {
        /// Host and port.
        server: String,
        /// What is wrong with the certificate.
        #[source]
        source: Source,
    },
    /// The server's certificate could not be checked.
    #[error(
        "no certificate authority is known to check PostgreSQL's certificate with: install the system's root \
         certificates (package ca-certificates), or name a PEM file with `sslrootcert=FILE` in the database URL"
    )]
    NoAuthorities,
    /// The named certificate authorities are unreadable.
    #[error("cannot read certificates from {}", path.display())]
    Authorities {
        /// The value of `sslrootcert`.
        path: PathBuf,
        /// Why.
        #[source]
        source: Source,
    },
    /// The file cannot be made, opened or read.
    #[error("cannot open the database file {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Source,
    },
    /// A migration did not go through; it left nothing behind.
    #[error("cannot bring the database to this version's schema")]
    Migration(#[source] Source),
    /// It was migrated by a program that knows more migrations.
    #[error("the database was prepared by a newer version of this program (migration {0}): run that version")]
    Newer(String),
    /// Migrations of this version are missing.
    #[error("the database is not prepared for this version (migration {0} is missing): run `artdag-l2 migrate`")]
    Behind(String),
}

impl From<diesel::result::Error> for OpenError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Migration(Box::new(error))
    }
}
