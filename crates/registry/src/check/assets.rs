use super::report::Kind;
use super::stored::StoredAsset;
use super::{Check, CheckError, PAGE, Step};
use artdag_assets::AssetFilter;
use artdag_federation::ActivityKind;
use artdag_kernel::Count;
use serde_json::Value;

impl Check<'_> {
    /// Compares each live asset with the activity that claims it.
    pub(super) async fn assets(&mut self) -> Result<(), CheckError> {
        let (Count::Exactly(all) | Count::AtLeast(all)) = self.reader.count_assets(&AssetFilter::default()).await?;
        let mut after: Option<String> = None;
        loop {
            self.tell(Step::Assets, self.report.assets, all.max(self.report.assets));
            let rows = self.reader.stored_assets(after.as_deref(), PAGE).await?;
            let Some((last, _)) = rows.last() else { return Ok(()) };
            after = Some(last.clone());
            for (id, row) in rows {
                self.report.assets += 1;
                match row {
                    Ok(stored) => {
                        let name = format!("{id} (`{}`)", stored.asset.name);
                        for what in disagreements(&stored) {
                            self.report.faults.add(Kind::Asset, &name, what);
                        }
                    }
                    Err(error) => self.report.faults.add(Kind::Asset, id, error),
                }
            }
        }
    }
}

fn disagreements(StoredAsset { asset, claim }: &StoredAsset) -> Vec<String> {
    let Some(claim) = claim else {
        return vec![format!("the activity {} that claims it is not there", asset.claim)];
    };
    let mut found = Vec::new();
    if claim.kind != ActivityKind::Create || claim.actor != asset.owner {
        found.push(format!("its claim {} is no Create of {}", claim.id, asset.owner));
    }
    // What is wrong with its text is told of the activity.
    let document = claim.document.parse().unwrap_or(Value::Null);
    for (pointer, expected) in [
        ("/object/name", asset.name.to_string()),
        ("/object/content", asset.content_hash.to_string()),
        ("/object/contentHash/value", asset.content_hash.to_bare_hex()),
    ] {
        if document.pointer(pointer).and_then(Value::as_str) != Some(expected.as_str()) {
            found.push(format!("its claim {} does not say `{expected}` at {pointer}", claim.id));
        }
    }
    found
}
