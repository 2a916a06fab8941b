import HL7Translation
import HL7v2
import TestSupport
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
            ("destinations:\n  R: { peer: RIS, send: [{ event: order }] }", 2),
            ("destinations:\n  R: { peer: \"A|B\" }", 2), ("destinations:\n  R/S: { peer: \"A|B\" }", 2),
            ("destinations:\n  R:\n    peer: A|B\n    send:\n      - { event: order, as: ORU^R01 }", 5),
            ("destinations:\n  R:\n    peer: A|B\n    version: 3.0", 4),
            ("destinations:\n  R:\n    peer: A|B\n    character_set: BIG-5", 4),
            ("destinations:\n  R:\n    peer: A|B\n    delimiters: AAAAA", 4),
            ("destinations:\n  R:\n    peer: A|B\n    lengths: { PID: 3 }", 4),
            ("destinations:\n  R:\n    peer: A|B\n    on_answer: { AA: park }", 4),
            ("destinations:\n  R:\n    peer: A|B\n    connections: 0", 4),
            ("destinations:\n  R:\n    peer: A|B\n    colour: red", 4),
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
        #expect(peer.zone?.name == "Europe/London")
        #expect(site.zone?.name == "Europe/Oslo")
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
        #expect(peer.acceptedProcessingIDs == ["P", "T"])
        #expect(site.acceptedProcessingIDs == ["P"])
        #expect(peer.parser.characterSetPolicy.defaultSet == .latin9)
        #expect(peer.isSnapshot)
        #expect(!site.isSnapshot)
        #expect(peer.rules.clockToleranceSeconds == 60)
        #expect(peer.peers.isEmpty)
        let ofFile = try SiteProfile(yaml: "modalities: { B: US }", over: site)
        #expect(ofFile.modalities == ["XR": "DX", "A": "CT", "B": "US"])
        #expect(ofFile.peers.isEmpty)
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
        #expect(profile.rules.recordNumberTypes == ["MR", "NI"])
        #expect(profile.rules.clockToleranceSeconds == 60)
        #expect(profile.zone?.name == "Europe/Zurich")
        #expect(profile.transientAnswer == .reject)
        #expect(profile.acceptedVersions == ["2.3.1", "2.5.1"])
        #expect(profile.isSnapshot)
        #expect(profile.parser.characterSetPolicy == CharacterSetPolicy(defaultSet: .latin9, contradicted: .asDeclared))
        #expect(profile.fields[.accession]?.map(\.description) == ["ZXX-3", "OBR-18.1"])
        #expect(profile.stepStatus(control: "NW", status: "SC") == .held)
        #expect(profile.stepStatus(control: "XO", status: "SC") == nil)
    }

    @Test("Every setting of a destination is read")
    func destination() throws {
        let yaml = """
            destinations:
              EHR:
                peer: EHR|SOUTH
                sending_application: HILUM
                sending_facility: NORTH
                processing_id: T
                role: filler
                acknowledgment: accept
                version: 2.3.1
                delimiters: "#!@%*"
                character_set: 8859/15
                unencodable: replace
                too_long: refuse
                lengths: { PID-5: 30 }
                on_answer: { AE: stop, CR: retry }
                connections: 4
                connect_seconds: 3
                answer_seconds: 60
                retry_days: 2
                tls: { server_name: ehr.south.example }
                report: { contents: [text, link], text_as: TX, link_as: TX, viewer: "https://v/?s={study}" }
                send:
                  - { event: result, states: [final, corrected], modalities: CT }
                  - { event: patient, as: ADT^A28 }
            """
        let found = try #require(try SiteProfile(yaml: yaml).destinations.first)
        var wanted = OutboundDestination(name: "EHR", peer: "EHR|SOUTH")
        wanted.sendingFacility = "NORTH"
        wanted.processingID = "T"
        wanted.role = .filler
        wanted.acknowledgment = .accept
        let delimiters = try #require(
            Delimiters(field: 0x23, component: 0x21, repetition: 0x40, escape: 0x25, subcomponent: 0x2A))
        wanted.format = WireFormat(
            version: "2.3.1", delimiters: delimiters, characterSet: .latin9, unencodable: .replace, overlong: .refuse,
            lengths: [FieldLengths.Place("PID", 5): 30])
        wanted.reactions["AE"] = .stop
        wanted.reactions["CR"] = .retry
        (wanted.connections, wanted.connectSeconds, wanted.answerSeconds) = (4, 3, 60)
        wanted.ageSecondsMax = 2 * 86_400
        (wanted.isTLS, wanted.serverName) = (true, "ehr.south.example")
        wanted.style.contents = [.text, .link]
        (wanted.style.isFormatted, wanted.style.isLinkText) = (false, true)
        wanted.style.viewer = "https://v/?s={study}"
        wanted.rules = [
            .init(.result, .oru, states: [.final, .corrected], modalities: ["CT"]), .init(.patient, .addPerson),
        ]
        #expect(found == wanted)
        #expect(found.outboxName == "hl7/EHR")
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

    @Test("An hour in which the offset changes has both, however often it is asked for")
    func changeWithinAnHour() throws {
        let zone = try #require(SiteZone("Asia/Kathmandu"))
        // 1985-12-31T18:30:00Z: from +05:30 to +05:45.
        let change = 504_901_800
        for _ in 1...3 {
            #expect(
                [-1_800, -1, 0, 1_799, 1_800].map { zone.offsetMinutes(atUTC: change + $0) } == [
                    330, 330, 345, 345, 345,
                ])
        }
    }

    @Test(
        "Without a zone a time without offset is cut to its date",
        arguments: [(nil, "2026-11-21"), ("UTC", "2026-11-21T08:29:00+00:00")])
    func noZone(zone: String?, start: String) async throws {
        let store = MemoryStore(time: TestClock().now())
        let inbox = Site.inbox(store, SiteProfile(zone: zone.flatMap { SiteZone($0) }))
        _ = await inbox.receive(Site.adt("A04", "M1"), peer: nil)
        #expect(store.visits.first?.start?.text == start)
    }
}
