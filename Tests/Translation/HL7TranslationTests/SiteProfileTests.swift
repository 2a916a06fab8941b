import HL7Translation
import HL7v2
import Testing
import Workflow

@Suite struct SiteProfileTests {
    @Test(
        "What is misspelt or impossible is refused with its line",
        arguments: [
            ("time_zon: UTC", 1), ("a: b\ntime_zone: Mars/Base", 1), ("time_zone: Mars/Base", 1),
            ("transient_as: AA", 1), ("identifiers:\n  patient_default: not a uri", 2),
            ("identifiers:\n  authorities:\n    - { namespace: X }", 3), ("fields:\n  accession: [OBR18]", 2),
            ("fields:\n  acession: OBR-18", 2), ("order_status:\n  NW_SC: LATER", 2),
            ("order_status:\n  NW: SCHEDULED", 2), ("character_set:\n  default: KLINGON", 2), ("snapshot: perhaps", 1),
            ("- a\n- b", 1), (": : :\n  - [", 0),
        ])
    func refused(yaml: String, line: Int) {
        let error = #expect(throws: SiteProfileError.self) { try SiteProfile(yaml: yaml) }
        #expect(error?.line == line, "\(String(describing: error))")
    }

    @Test("A sender's profile is the site's with what it says itself: maps by entry, its authorities first")
    func ofPeer() throws {
        let site = try SiteProfile(
            yaml: """
                time_zone: Europe/Oslo
                identifiers:
                  authorities:
                    - { system: "urn:site:mrn", namespace: HOSP }
                    - { system: "urn:site:ris", namespace: RIS }
                  patient_default: urn:site:mrn
                modalities: { XR: DX, A: CT }
                fields: { accession: [OBR-18], modality: [OBR-24] }
                accepted_processing_ids: [P]
                clock_tolerance: 60
                peers:
                  OLD|EAST:
                    time_zone: Europe/London
                    identifiers:
                      authorities: [{ system: "urn:east:mrn", namespace: HOSP }]
                      patient_default: urn:east:mrn
                    modalities: { A: MR }
                    fields: { accession: [ZXX-1] }
                    accepted_processing_ids: [P, T]
                    character_set: { default: 8859/15 }
                    snapshot: true
                """)
        let peer = try #require(site.peers["OLD|EAST"])
        #expect(peer.zone?.name == "Europe/London" && site.zone?.name == "Europe/Oslo")
        func system(_ namespace: String, _ profile: SiteProfile) -> AssigningAuthorities.Resolution {
            profile.authorities.resolve(namespace: namespace, universalID: nil, universalIDType: nil)
        }
        #expect(system("HOSP", peer) == .known(system: "urn:east:mrn"))
        #expect(system("RIS", peer) == .known(system: "urn:site:ris"))
        #expect(system("HOSP", site) == .known(system: "urn:site:mrn"))
        #expect(peer.authorities.defaultPatientSystem == "urn:east:mrn")
        #expect(peer.modalities == ["XR": "DX", "A": "MR"])
        #expect(peer.fields[.accession]?.map(\.description) == ["ZXX-1"])
        #expect(peer.fields[.modality]?.map(\.description) == ["OBR-24"])
        #expect(peer.acceptedProcessingIDs == ["P", "T"] && site.acceptedProcessingIDs == ["P"])
        #expect(peer.parser.characterSetPolicy.defaultSet == .latin9 && peer.isSnapshot && !site.isSnapshot)
        #expect(peer.rules.clockToleranceSeconds == 60 && peer.peers.isEmpty)
        let ofFile = try SiteProfile(yaml: "modalities: { B: US }", over: site)
        #expect(ofFile.modalities == ["XR": "DX", "A": "CT", "B": "US"] && ofFile.peers.isEmpty)
        #expect(try SiteProfile(yaml: "", over: site).modalities == site.modalities)
    }

    @Test(
        "What all senders of a site share is no setting of one",
        arguments: [
            "clock_tolerance: 1", "peers: {}", "identifiers: { accession_numbers: { prefix: A } }",
            "identifiers: { record_number_types: [MR] }", "time_zon: UTC", "- a",
        ])
    func ofPeerRefused(_ yaml: String) throws {
        #expect(throws: SiteProfileError.self) { try SiteProfile(yaml: yaml, over: SiteProfile()) }
        let section = "peers:\n  A|B:\n    " + yaml
        let error = #expect(throws: SiteProfileError.self) { try SiteProfile(yaml: section) }
        #expect(error?.line == 3)
    }

    @Test("A section for a sender names application and facility")
    func peerNames() {
        let error = #expect(throws: SiteProfileError.self) {
            try SiteProfile(yaml: "peers:\n  RIS: { snapshot: true }")
        }
        #expect(error?.line == 2)
    }

    @Test("An empty file is a profile")
    func empty() throws {
        for yaml in ["", "# nothing\n", "---\n"] { #expect(try SiteProfile(yaml: yaml).acceptedProcessingIDs == ["P"]) }
    }

    @Test("Every setting is read")
    func whole() throws {
        let profile = try SiteProfile(
            yaml: Site.yaml.replacing("  visit_default", with: "  record_number_types: [MR, NI]\n  visit_default")
                + "\n" + """
                    transient_as: AR
                    accepted_versions: [2.3.1, 2.5.1]
                    snapshot: true
                    character_set: { default: 8859/15, contradicted: asDeclared }
                    fields: { accession: [ZXX-3, "OBR-18.1"], station_ae_title: ORC-18 }
                    order_status: { NW_SC: "ON HOLD" }
                    clock_tolerance: 60
                    """)
        func resolved(_ namespace: String?, _ id: String? = nil) -> AssigningAuthorities.Resolution {
            profile.authorities.resolve(namespace: namespace, universalID: id, universalIDType: nil)
        }
        #expect(resolved("RIS") == .known(system: "https://north.example/ris"))
        #expect(resolved(nil, "2.999.1").system(default: "") == "urn:oid:2.999.1")
        #expect(profile.rules.recordNumberTypes == ["MR", "NI"] && profile.rules.clockToleranceSeconds == 60)
        #expect(profile.zone?.name == "Europe/Zurich")
        #expect(profile.transientAnswer == .reject)
        #expect(profile.acceptedVersions == ["2.3.1", "2.5.1"])
        #expect(profile.isSnapshot)
        #expect(profile.parser.characterSetPolicy == CharacterSetPolicy(defaultSet: .latin9, contradicted: .asDeclared))
        #expect(profile.fields[.accession]?.map(\.description) == ["ZXX-3", "OBR-18.1"])
        #expect(profile.stepStatus(control: "NW", status: "SC") == .held)
        #expect(profile.stepStatus(control: "XO", status: "SC") == nil)
    }

    @Test(
        "Summer time: offsets before and after, the repeated hour the earlier, the skipped hour the one before",
        arguments: [
            ("20260115120000", 60), ("20260715120000", 120), ("20261025023000", 120), ("20261025033000", 60),
            ("20260329023000", 60), ("20260329033000", 120),
            ("20261025005900", 120), ("20260329015959", 60),
        ])
    func summerTime(text: String, minutes: Int) throws {
        let zone = try #require(SiteZone("Europe/Zurich"))
        #expect(zone.offsetMinutes(atWallClock: try #require(Timestamp(text.utf8)).wallClockSeconds) == minutes)
    }

    @Test(
        "Without a zone a time without offset is cut to its date",
        arguments: [(nil, "2026-11-21"), ("UTC", "2026-11-21T08:29:00+00:00")])
    func noZone(zone: String?, start: String) async throws {
        let store = MemoryStore()
        let inbox = Site.inbox(store, SiteProfile(zone: zone.flatMap { SiteZone($0) }))
        _ = await inbox.receive(Site.adt("A04", "M1"), peer: nil)
        #expect(store.visits.first?.start?.text == start)
    }
}
