//! Which methods a path takes, for those who tried another.

use utoipa::openapi::OpenApi;

/// Path templates and the methods they take, as the API's description has them.
#[derive(Clone, Debug)]
pub struct MethodTable(Vec<(String, Vec<&'static str>)>);

impl MethodTable {
    /// Takes them from the description.
    pub fn of(openapi: &OpenApi) -> Self {
        let rows = openapi.paths.paths.iter().map(|(template, item)| {
            let taken = [
                ("GET", item.get.is_some()),
                ("HEAD", item.get.is_some()),
                ("POST", item.post.is_some()),
                ("PUT", item.put.is_some()),
                ("PATCH", item.patch.is_some()),
                ("DELETE", item.delete.is_some()),
            ];
            (template.clone(), taken.into_iter().filter(|(_, taken)| *taken).map(|(method, _)| method).collect())
        });
        Self(rows.collect())
    }

    /// The methods that a path takes, as the `Allow` header lists them; `None` when there is no such path.
    pub fn allowed(&self, path: &str) -> Option<String> {
        let mut methods: Vec<&str> = Vec::new();
        for (_, taken) in self.0.iter().filter(|(template, _)| matches(template, path)) {
            methods.extend(taken.iter().filter(|method| !methods.contains(method)).copied().collect::<Vec<_>>());
        }
        (!methods.is_empty()).then(|| methods.join(", "))
    }
}

fn matches(template: &str, path: &str) -> bool {
    let (mut template, mut path) = (template.split('/'), path.split('/'));
    loop {
        match (template.next(), path.next()) {
            (None, None) => return true,
            (Some(pattern), Some(segment))
                if pattern == segment || (pattern.starts_with('{') && !segment.is_empty()) => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_methods_of_a_path() {
        let table = MethodTable::of(&crate::openapi::openapi());
        assert_eq!(table.allowed("/assets").as_deref(), Some("GET, HEAD, POST"));
        assert_eq!(table.allowed("/assets/effect:identity").as_deref(), Some("GET, HEAD, PATCH, DELETE"));
        assert_eq!(table.allowed("/assets/"), None);
        assert_eq!(table.allowed("/nowhere"), None);
    }
}
