import DICOMData
import FHIRModel
import Foundation
import NIOHTTP1
import Testing

extension JourneyTests {
    /// S8, D18: what the store can never keep is refused for good at every door, told by its place, and leaves nothing.
    @Suite(.server, .serialized) struct TextRuleTests {
        let context: ServerTrait.Context

        init() throws { context = try ServerTrait.context() }

        private static let long = (0..<400).map { "N\($0 * 7919 % 9973)" }.joined().prefix(4_000)

        private func blobs() -> Set<String> {
            let root = context.server.folder.path + "/blobs/objects"
            let found = FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? []
            return Set(found.filter { $0.split(separator: "/").count == 3 })
        }

        @Test(
            "HL7 v2.5.1 §2.9.2: identifiers of 4,000 characters and an escaped NUL are AE 102 with their place, each time"
        )
        func messages() async throws {
            @Sendable func text(_ id: String, _ change: (String) -> String) -> [UInt8] {
                Array(change(String(decoding: Samples.message(id, patient: "J-LONG"), as: UTF8.self)).utf8)
            }
            try await MLLPPeer.connect(context.server) { peer in
                let cases: [(id: String, place: String, message: [UInt8])] = [
                    ("T-1", "PID^1^3", text("T-1") { $0.replacing("J-LONG", with: Self.long) }),
                    ("T-2", "PID^1^5", text("T-2") { $0.replacing("JOURNEY^TEST", with: "A\\X410042\\B") }),
                    ("T-3", "PID^1^5", text("T-3") { $0.replacing("JOURNEY^TEST", with: Self.long) }),
                ]
                for entry in cases {
                    for _ in 0..<2 {
                        let answer = try await peer.ask(entry.message)
                        #expect(answer?.code == "AE" && answer?.condition == "102", "\(entry.id)")
                        let words = String(decoding: answer?.bytes ?? [], as: UTF8.self)
                        #expect(words.contains("ERR||\(entry.place)^1|"), "\(words)")
                    }
                }
                #expect(try await peer.ask(Samples.message("T-9", patient: "J-LONG"))?.code == "AA")
            }
            #expect(try await context.patients("urn:hilum:site:mrn", "J-LONG") == 1)
        }

        @Test("PS3.18 Table I.2-2: NUL in an identifier is C000 and leaves no blob; in a description it is a space")
        func images() async throws {
            let before = blobs()
            let wrong: [(DICOMData.Tag, String)] = [
                (.accessionNumber, "A\01"), (.patientID, "J\01"), (.accessionNumber, String(Self.long)),
            ]
            for (index, entry) in wrong.enumerated() {
                let file = try Samples.file(study: "1.2.18", instance: "1.2.18.\(index)") { set in
                    set[entry.0] = DataElement(
                        entry.0, .LO, bytes: Array(entry.1.utf8) + (entry.1.utf8.count % 2 == 1 ? [0x20] : []))
                }
                let reply = try await context.stow([file])
                #expect(reply.status == 409, "\(entry.0) \(reply.text)")
                let reason = try reply.json()["00081198"]?["Value"]?[0]?["00081197"]?["Value"]?[0]?.numberText
                #expect(reason == "49152", "\(entry.0)")
            }
            #expect(blobs() == before)
            #expect(try await context.visible(study: "1.2.18") == 0)
            let file = try Samples.file(study: "1.2.18", instance: "1.2.18.9") { set in
                set[.studyDescription] = DataElement(.studyDescription, .LO, bytes: Array("CT\0Thorax ".utf8))
                set[.seriesDescription] = DataElement(.seriesDescription, .LO, bytes: Array("A\0B ".utf8))
                set[.patientName] = DataElement(.patientName, .PN, bytes: Array("DOE\0^JANE ".utf8))
            }
            #expect(try await context.stow([file]).status == 200)
            let found = try await context.web.send(
                .GET, "/dicomweb/studies?StudyInstanceUID=1.2.18&includefield=StudyDescription",
                headers: [("Authorization", "Bearer \(context.token)"), ("Accept", "application/dicom+json")])
            #expect(found.status == 200)
            #expect(try found.json()[0]?["00081030"]?["Value"]?[0]?.string == "CT Thorax")
            // What only describes keeps no image out, and is found by its beginning.
            let long = String(Self.long)
            let named = try Samples.file(study: "1.2.18.2", instance: "1.2.18.20") { set in
                for tag in [DICOMData.Tag.patientName, .referringPhysicianName] {
                    set[tag] = DataElement(tag, .PN, bytes: Array((long.utf8.count % 2 == 1 ? long + " " : long).utf8))
                }
            }
            #expect(try await context.stow([named]).status == 200)
            let byName = try await context.web.send(
                .GET, "/dicomweb/studies?PatientName=\(long.prefix(20))*&StudyInstanceUID=1.2.18.2",
                headers: [("Authorization", "Bearer \(context.token)"), ("Accept", "application/dicom+json")])
            #expect(byName.status == 200, "\(byName.text)")
        }

        @Test(
            "FHIR R4 datatypes.html#string: an identifier too long is 422, NUL in a resource or a search is 4xx, never 500"
        )
        func resources() async throws {
            let long = try await context.fhir(.POST, "/Patient", Samples.patient(String(Self.long)))
            #expect(long.status == 422 && long.issue == "value", "\(long.text)")
            let nul = try await context.fhir(.POST, "/Patient", Samples.patient("J\\u0000"))
            #expect((400...422).contains(nul.status), "\(nul.text)")
            for path in ["/Patient?identifier=a%00b", "/Patient?name=a%00b", "/Patient?_id=a%00b"] {
                let reply = try await context.fhir(.GET, path)
                #expect(reply.status < 500, "\(path) \(reply.text)")
            }
            let qido = try await context.web.send(
                .GET, "/dicomweb/studies?PatientID=a%00b",
                headers: [("Authorization", "Bearer \(context.token)"), ("Accept", "application/dicom+json")])
            #expect(qido.status < 500, "\(qido.text)")
        }
    }
}
