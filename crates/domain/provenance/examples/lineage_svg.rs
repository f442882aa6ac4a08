//! Prints a picture of a made-up lineage: `cargo run -p artdag-provenance --example lineage_svg > lineage.svg`.
//! A number as argument asks for another count of assets than 60, a format's name for another format.

mod sample;

use artdag_kernel::Instant;
use artdag_provenance::{ExportContext, ProvFormat};
use std::io::Write;

fn main() -> std::io::Result<()> {
    let mut format = ProvFormat::Svg;
    let mut assets = 60;
    for argument in std::env::args().skip(1) {
        match (argument.parse(), argument.parse()) {
            (Ok(number), _) => assets = number,
            (_, Ok(named)) => format = named,
            _ => {}
        }
    }
    let at = Instant::from_timestamp_secs(1_767_312_000).unwrap_or_default();
    let context = ExportContext::new("https://art.example", at);
    let text = format.export(&sample::lineage(assets), &context);
    std::io::stdout().write_all(text.as_bytes())
}
