import Foundation
import Testing
import Workflow

/// The values that the domain makes and reads. PS3.5 §B.2, FHIR R4 datatypes.html#id.
@Suite("Values: ids, UIDs, dates, changes")
struct ValuesTests {
    @Test("A new id is 26 characters of lower-case base 32 and legal as a FHIR id")
    func ids() {
        let entropy = SeededEntropy(seed: 7)
        let ids = (0..<500).map { _ in entropy.newID().value }
        #expect(Set(ids).count == ids.count)
        for id in ids {
            #expect(id.utf8.count == 26)
            #expect(id.utf8.allSatisfy { (48...57).contains($0) || (97...122).contains($0) })
            #expect(!id.contains { "ilou".contains($0) })
        }
    }

    @Test("A new UID is 2.25 and a decimal without leading zero, at most 64 characters (PS3.5 §9.1, §B.2)")
    func uids() {
        let entropy = SeededEntropy(seed: 8)
        let uids = (0..<500).map { _ in entropy.newUID() }
        #expect(Set(uids).count == uids.count)
        for uid in uids {
            #expect(uid.hasPrefix("2.25."))
            let digits = uid.dropFirst(5)
            #expect(uid.utf8.count <= 64 && !digits.isEmpty && digits.first != "0")
            #expect(digits.utf8.allSatisfy { (48...57).contains($0) })
        }
    }

    @Test("A UID of known bytes is the decimal of the version-4 UUID made of them (PS3.5 §B.2)")
    func knownUID() {
        struct Fixed: Entropy {
            let byte: UInt8
            func bytes(_ count: Int) -> [UInt8] { Array(repeating: byte, count: count) }
        }
        // 00000000-0000-4000-8000-000000000000 and ffffffff-ffff-4fff-bfff-ffffffffffff.
        #expect(Fixed(byte: 0).newUID() == "2.25.302240678275694148452352")
        #expect(Fixed(byte: 255).newUID() == "2.25.340282366920937632322261936355783213055")
    }

    @Test("Digits of a date and time are those of DA and TM (PS3.5 §6.2)")
    func digits() {
        let full = PartialDateTime("2026-11-21T10:15:00.5+01:00")
        #expect(full.dateDigits == "20261121")
        #expect(full.timeDigits == "101500")
        #expect(PartialDateTime("2026-11").dateDigits == "202611")
        #expect(PartialDateTime("2026-11-21").timeDigits == nil)
        #expect(PartialDateTime("2026-11-21T23:59:59Z").timeDigits == "235959")
        #expect(PartialDateTime("2026-11-21T10:15:00-05:00").timeDigits == "101500")
    }

    @Test("A change keeps, clears or sets")
    func change() {
        #expect(Change<Int>.keep.applied(to: 1) == 1)
        #expect(Change<Int>.clear.applied(to: 1) == nil)
        #expect(Change<Int>.set(2).applied(to: nil) == 2)
    }

    @Test("H1: an authority that is named and not configured is its own, never the default (HL7 v2.5.1 §2.A.14)")
    func authorities() {
        let site = AssigningAuthorities(
            authorities: [
                .init(system: "urn:mrn", namespace: "HOSP", universalID: "1.2.3"),
                .init(system: "urn:ris", namespace: "RIS"),
            ],
            defaultPatientSystem: "urn:mrn",
            defaultAccessionSystem: "urn:acc")
        func system(_ namespace: String?, _ id: String? = nil, _ type: String? = nil) -> String {
            site.resolve(namespace: namespace, universalID: id, universalIDType: type).system(default: "urn:default")
        }
        #expect(system("HOSP") == "urn:mrn" && system(" HOSP ") == "urn:mrn")
        #expect(system("OTHER", "1.2.3") == "urn:mrn")
        #expect(system("RIS", "9.9", "ISO") == "urn:ris")
        // The site gives this namespace another universal id: the two names contradict.
        #expect(system("HOSP", "9.9", "ISO") == "urn:oid:9.9")
        #expect(system(nil, "U", "UUID") == "urn:uuid:u")
        #expect(system("") == "urn:default" && system(nil, " ") == "urn:default")
        let unknown = ["OTHER", "other", "OT HER", "Ö", "A:B"].map { system($0) }
        #expect(Set(unknown).count == 5 && !unknown.contains("urn:mrn") && !unknown.contains("urn:default"))
        #expect(unknown.map { site.namespace(of: $0) } == ["OTHER", "other", "OT HER", "Ö", "A:B"])
        #expect(system("X", "clinic.example", "DNS") != system("X", "clinic.example", "L"))
        #expect(site.namespace(of: "urn:mrn") == "HOSP")
    }

    @Test("A change is coded in a few bytes and read back as it was")
    func changeCoding() throws {
        for change in [Change<String>.keep, .clear, .set("x"), .set("")] {
            let bytes = try JSONEncoder().encode([change])
            #expect(try JSONDecoder().decode([Change<String>].self, from: bytes) == [change])
        }
    }
}
