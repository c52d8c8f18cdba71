//! tmp
use driftless::store::*;
use driftless_gateway::model::*;
use driftless_gateway::store::*;
fn content(n: u32, len: usize) -> Content {
    use sha2::Digest;
    let bytes: Vec<u8> = (0..len).map(|i| (i as u32 * 31 + n) as u8).collect();
    let d: [u8; 32] = sha2::Sha256::digest(&bytes).into();
    Content { bytes: bytes.into(), digest: ContentDigest(d) }
}
fn run(store: &mut dyn SimStore, name: &str) {
    let n = 2000;
    let t = std::time::Instant::now();
    for i in 0..n {
        let c = content(i, 1500);
        let mut b = Batch::default();
        b.artifacts.insert(
            ArtifactId::new(&format!("artifact-{}", i % 20)),
            ArtifactWrite::Put {
                row: Row {
                    kind: Kind::RestApi,
                    state: DeployState::Deployed,
                    generation: Generation::default(),
                    held: Some(Held { digest: c.digest, confirmed: true }),
                },
                content: Some(c),
            },
        );
        store.commit(&b).unwrap();
    }
    println!("{name}: commit {:?}", t.elapsed() / n);
    let t = std::time::Instant::now();
    for i in 0..200 {
        store.crash(driftless::step::CrashDisk::Lost, i);
        assert_eq!(store.recover().unwrap().rows.len(), 20);
    }
    println!("{name}: crash+recover {:?}", t.elapsed() / 200);
    let t = std::time::Instant::now();
    for i in 0..200 {
        store.crash(driftless::step::CrashDisk::Lost, i);
        let mut b = Batch::default();
        b.control_plane = Some(ControlPlane { base: BasePath::platform_api(), dialect: None });
        store.commit(&b).unwrap();
    }
    println!("{name}: crash+commit {:?}", t.elapsed() / 200);
}
#[test]
fn cost() {
    run(&mut ModelStore::new(), "model");
    let mut d = DiskStore::new();
    run(&mut d, "disk");
    println!("{:?}", d.disk().counts());
    let t = std::time::Instant::now();
    for _ in 0..200 {
        let mut d = DiskStore::new();
        let mut b = Batch::default();
        b.control_plane = Some(ControlPlane { base: BasePath::platform_api(), dialect: None });
        d.commit(&b).unwrap();
    }
    println!("create+commit+drop {:?}", t.elapsed() / 200);
}
