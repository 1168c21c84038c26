use std::fs;

use super::*;

/// Of cost 4, to be quick.
fn hash(password: &str) -> String {
    bcrypt::hash(password, 4).unwrap()
}

fn web(users: &str, tokens: &str) -> (tempfile::TempDir, Web) {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        if text.is_empty() {
            return String::new();
        }
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let web = Web { users: file("users", users), tokens: file("tokens", tokens), ..Web::default() };
    (folder, web)
}

fn basic(text: &str) -> String {
    format!("Basic {}", STANDARD.encode(text))
}

const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

async fn judged(access: &Access, field: &str) -> Verdict {
    access.judge(field, HERE, &Logins::new(Arc::default()), &Arc::default()).await
}

#[tokio::test]
async fn passwords_and_tokens() {
    let users = format!("# people\nann:{}\n\nbob:{}\n", hash("secret: of ann"), hash("bob's"));
    let (_folder, web) = web(&users, "0123456789abcdef\nfedcba9876543210\n");
    let access = Access::load(&web, None).unwrap().unwrap();
    // Twice: the second time from memory.
    for _ in 0..2 {
        for (field, allowed) in [
            (basic("ann:secret: of ann"), true),
            (basic("bob:bob's"), true),
            (basic("bob:secret: of ann"), false),
            (basic("ann:"), false),
            (basic("eve:secret: of ann"), false),
            (basic("ann"), false),
            ("Basic !".to_owned(), false),
            ("bearer 0123456789abcdef".to_owned(), true),
            ("Bearer  fedcba9876543210".to_owned(), true),
            ("Bearer 0123456789abcde".to_owned(), false),
            ("Bearer ".to_owned(), false),
            ("Bearer".to_owned(), false),
            (String::new(), false),
            ("Digest 0123456789abcdef".to_owned(), false),
        ] {
            let verdict = judged(&access, &field).await;
            assert_eq!(matches!(verdict, Verdict::Allowed(_)), allowed, "{field}: {verdict:?}");
        }
    }
}

/// The time that a wrong password takes tells nothing of names: as many rounds of bcrypt for each.
#[test]
fn a_wrong_password_takes_the_same_work_for_every_name() {
    let [cheap, dear] = [4, 7].map(|cost| bcrypt::hash("x", cost).unwrap());
    let (_folder, web) = web(&format!("ann:{cheap}\nbob:{dear}\n"), "");
    let access = Access::load(&web, None).unwrap().unwrap();
    for name in ["ann", "bob", "eve", ""] {
        let rounds: u32 = access.hashes(name).iter().map(|hash| 1 << cost(hash).unwrap()).sum();
        assert_eq!(rounds, 1 << 7, "{name}");
    }
    assert_eq!(access.hashes("ann").first(), Some(&cheap));
}

#[tokio::test]
async fn guessing_is_slow_and_locks_nobody_out_elsewhere() {
    let (_folder, web) = web(&format!("ann:{}\n", hash("right")), "0123456789abcdef\n");
    let access = Access::load(&web, None).unwrap().unwrap();
    let (logins, checks) = (Logins::new(Arc::default()), Arc::default());
    let guess = |field: String, address: IpAddr| {
        let (access, logins, checks) = (&access, &logins, &checks);
        async move { access.judge(&field, address, logins, checks).await }
    };
    let mut verdicts = Vec::new();
    for number in 0..8 {
        verdicts.push(guess(basic(&format!("ann:{number}")), HERE).await);
    }
    let later = |verdict: &Verdict| matches!(verdict, Verdict::Later(_));
    assert!(verdicts.iter().take(5).all(|verdict| matches!(verdict, Verdict::Wrong(_))), "{verdicts:?}");
    assert!(verdicts.iter().skip(5).all(later), "{verdicts:?}");
    assert!(later(&guess(basic("ann:right"), HERE).await), "unknown so far from here");
    let other = IpAddr::from([192, 0, 2, 1]);
    assert!(matches!(guess(basic("ann:right"), other).await, Verdict::Allowed(_)));
    // What is known needs no check, nor do tokens.
    assert!(matches!(guess(basic("ann:right"), HERE).await, Verdict::Allowed(_)));
    assert!(matches!(guess("Bearer 0123456789abcdef".to_owned(), HERE).await, Verdict::Allowed(_)));
}

#[tokio::test]
async fn what_was_let_in_is_known_after_the_files_were_read_again() {
    let (folder, web) = web(&format!("ann:{}\n", hash("a")), "0123456789abcdef\nfedcba9876543210\n");
    let access = Access::load(&web, None).unwrap().unwrap();
    let mut identities = Vec::new();
    for field in [basic("ann:a"), "Bearer 0123456789abcdef".to_owned()] {
        let Verdict::Allowed(identity) = judged(&access, &field).await else { panic!("{field}") };
        identities.push(identity);
    }
    let same = Access::load(&web, Some(&access)).unwrap().unwrap();
    assert!(identities.iter().all(|identity| same.knows(identity)) && !same.knows(&Identity::Anyone));
    assert_eq!(same.known.lock().unwrap().len(), 1, "no password is verified again");
    fs::write(folder.path().join("tokens"), "fedcba9876543210\n").unwrap();
    fs::write(folder.path().join("users"), format!("ann:{}\n", hash("b"))).unwrap();
    let other = Access::load(&web, Some(&access)).unwrap().unwrap();
    assert!(!identities.iter().any(|identity| other.knows(identity)));
    assert!(other.known.lock().unwrap().is_empty());
}

#[test]
fn files_that_cannot_be_used_name_line_and_remedy() {
    for (users, tokens, parts) in [
        ("ann:plain\n", "", &["web.users", "line 1", "htpasswd"][..]),
        ("# x\nann\n", "", &["line 2", "NAME:HASH"]),
        ("", "short\n", &["web.tokens", "line 1", "16 characters"]),
        ("", "# none\n", &["web.tokens", "nobody"]),
    ] {
        let (_folder, web) = web(users, tokens);
        let error = Access::load(&web, None).unwrap_err().to_string();
        assert!(parts.iter().all(|part| error.contains(part)), "{error}");
        assert!(!error.contains("plain") && !error.contains("short"), "{error} tells no secret");
    }
    let missing = Web { tokens: "/no/such".to_owned(), ..Web::default() };
    assert!(Access::load(&missing, None).unwrap_err().to_string().contains("/no/such"));
    assert!(Access::load(&Web::default(), None).unwrap().is_none());
}
