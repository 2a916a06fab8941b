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
                        #expect(answer?.code == "AE", "\(entry.id)")
                        #expect(answer?.condition == "102", "\(entry.id)")
                        let words = String(decoding: answer?.bytes ?? [], as: UTF8.self)
                        #expect(words.contains("ERR||\(entry.place)^1|"), "\(words)")
                    }
                }
                #expect(try await peer.ask(Samples.message("T-9", patient: "J-LONG"))?.code == "AA")
            }
            #expect(try await context.patients("urn:hilum:site:mrn", "J-LONG") == 1)
        }

        @Test(
            "HL7 v2.5.1 §2.9.2: whichever field holds 4,000 characters: AA, or AE 102 with that place, and nothing kept"
        )
        func everyField() async throws {
            let lines = [
                "PID|1|A^^^X|J-WIDE^7^M10^HOSP&1.2.3&ISO^MR^EAST^20200101~S-1^^^AHV^SS|B|JOURNEY^TEST^Q^Jr^Dr|M^N|19700101|F|O^P|W^White^L|Str 1^Haus^Ort^ZH^8000^CHE^H||1^PRN^PH|2^WPN^PH|de^German^L|M^M^L|R^R^L|ACC^^^HOSP^AN|123-45|DL^ZH|||Ort|Y|2|CHE^S^L||CHE^S^L|||||||A^B^L|C^D^L|||T^T^L",
                "PD1|||Clinic^^C-1|7000^Haus^Ada||D^D^L||||||||St. John",
                "NK1|1|KIN^KIM|SPO^S^L|Str 2^^Ort|3^PRN^PH|4^WPN^PH",
                "PV1|1|I|WARD^1^2^N^^N|E|PRE-1|ER^1|7001^Arzt^Adele|7002^Zu^Zora|7003^Kon^Karl|RAD|TMP|||1|S||7004^Auf^Anna|S|V-WIDE^^^HOSP^VN",
                "AL1|1|DA^D^L|CM^Contrast^L|SV^S^L|hives",
                "IN1|1|PLAN^P^L|INS-1|Comp|Str 3|||G-1|Group||E-1|Widgets|||||PPO||KIN^KIM",
                "GT1|1|GT-1|GUA^RAN|||5|6||||SEL^S^L|99-1",
                "ORC|NW|PL-WIDE^EHR|FI-WIDE^RIS|GRP-1|SC|||||||7005^Req^Rita",
                "OBR|1|PL-WIDE^EHR|FI-WIDE^RIS|CT^CT head^L||||||||MRSA^I^L|info||&&&HEAD|7005^Req^Rita||ACC-WIDE|RP-1|SPS-1||||CT||||||WALK|R51^H^L|||7010&T&Tim||||||||||44^D^L|46^E^L|47^F^L",
                "NTE|1||note", "DG1|1||S06^C^L|text|20261121|W^W^L||||||||||7011^Dia^Dora",
                "OBX|1|CWE|C^Code^L|1|V^Value^L|u^u^UCUM|1-2|N^N^L|||F|||20261121|LAB^L^L|7012^O^Olga|M^M^L|DEV^X|||BS^B^L|||ORG^^9",
                "ZDS|1.2.999.5^RIS^Application^DICOM",
            ]
            let head = String(
                decoding: Samples.message("W", patient: "J-WIDE", type: "ORM^O01^ORM_O01").prefix { $0 != 0x0D },
                as: UTF8.self)
            let long = String(Self.long)
            let server = context.server
            let answers = try await MLLPPeer.connect(server) { peer in
                var number = 0
                var answers: [String: Int] = [:]
                for (index, line) in lines.enumerated() {
                    let fields = line.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
                    for field in 1..<fields.count where !fields[field].isEmpty {
                        let pieces = fields[field].split(separator: "^", omittingEmptySubsequences: false)
                        for piece in pieces.indices where !pieces[piece].isEmpty {
                            var changed = pieces
                            changed[piece] = Substring(long)
                            var wide = fields
                            wide[field] = changed.joined(separator: "^")
                            var all = lines
                            all[index] = wide.joined(separator: "|")
                            number += 1
                            let header = head.replacing("|W|", with: "|W\(number)|")
                            let answer = try await peer.ask(
                                Array(([header] + all).joined(separator: "\r").utf8) + [0x0D])
                            let words = String(decoding: answer?.bytes ?? [], as: UTF8.self)
                            let place = "\(fields[0])-\(field).\(piece + 1)"
                            answers[answer?.code ?? "none", default: 0] += 1
                            if answer?.code == "AA" { continue }
                            let isTold = ["102", "103"].contains(answer?.condition ?? "")
                            #expect(answer?.code == "AE", "\(place) \(words)")
                            #expect(isTold, "\(place) \(words)")
                            #expect(words.contains("ERR||\(fields[0])^1^\(field)^"), "\(place) \(words)")
                        }
                    }
                }
                return answers
            }
            #expect((answers["AE"] ?? 0) > 60, "\(answers)")
            #expect((answers["AA"] ?? 0) > 60, "\(answers)")
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
            #expect(long.status == 422, "\(long.text)")
            #expect(long.issue == "value", "\(long.text)")
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
