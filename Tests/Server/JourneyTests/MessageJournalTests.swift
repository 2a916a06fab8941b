import FHIRModel
import Foundation
import HL7v2
import NIOHTTP1
import Testing

extension JourneyTests {
    /// What a message says is in FHIR, and where each of its values went is in the journal, over sockets and on the
    /// database of the run. HL7 v2.5.1 §4.4.1, §7.3.1; cases H4, H10, H21.
    @Suite(.server, .serialized) struct MessageJournalTests {
        let context: ServerTrait.Context

        init() throws { context = try ServerTrait.context() }

        private func message(_ type: String, _ id: String, _ lines: [String]) -> [UInt8] {
            let sender = ServerFolder.sender
            let msh =
                "MSH|^~\\&|\(sender.application)|\(sender.facility)|HILUM|HILUM|20261121070000||\(type)|\(id)|P|2.5.1||||||UNICODE UTF-8"
            return Array((([msh] + lines).joined(separator: "\r") + "\r").utf8)
        }

        private func entries(_ path: String) async throws -> [JSONValue] {
            let reply = try await context.fhir(.GET, path)
            #expect(reply.status == 200, "\(reply.text)")
            return try reply.json()["entry"]?.array?.compactMap { $0["resource"] } ?? []
        }

        @Test("H21: an order's allergy, diagnosis and weight are resources that its ServiceRequest points to")
        func order() async throws {
            let sent = message(
                "ORM^O01", "MJ-1",
                [
                    "PID|1||MJ-1^^^HOSP^MR||JOURNAL^TEST||19700101|F|||S 1^^TOWN||||||CAT^Catholic^HL70006|ACC-9",
                    "PV1|1|I|WARD^1||||7001^A^B|||RAD|||||||7004^C^D||MJ-V1",
                    "AL1|1|DA^Drug^HL70127|PEN^Penicillin^L|SV",
                    "ORC|NW|MJ-PL|MJ-FI||SC", "OBR|1|MJ-PL|MJ-FI|CT^CT^L|||||||||||||||||||RAD|||^^^20261122100000",
                    "DG1|1||S06.0^Concussion^I10", "OBX|1|NM|29463-7^Weight^LN||72|kg^^UCUM|||||F", "ZZZ|own",
                ])
            #expect(try await MLLPPeer.send(sent, to: context.server)?.code == "AA")

            let request = try #require(try await entries("/ServiceRequest?identifier=MJ-PL").first)
            #expect(request["supportingInfo"]?.array?.count == 2)
            #expect(request["reasonReference"]?.array?.count == 1)
            let allergy = try #require(try await entries("/AllergyIntolerance?criticality=high").first)
            #expect(allergy["patient"] == request["subject"])
            #expect(try await entries("/Condition?code=S06.0").count == 1)
            #expect(try await entries("/Observation?code=29463-7").first?["valueQuantity"]?["unit"]?.string == "kg")
            let encounter = try #require(try await entries("/Encounter?identifier=MJ-V1").first)
            #expect(encounter["status"]?.string == "unknown")
            #expect(encounter["participant"]?.array?.count == 2)

            let listed = try await context.web.send(
                .GET, "/ops/messages?control-id=MJ-1&disposition=applied", token: context.token)
            #expect(listed.status == 200, "\(listed.text)")
            let head = try #require(try listed.json()["messages"]?[0])
            let id = try #require(head["id"]?.string)
            let whole = try await context.web.send(.GET, "/ops/messages/\(id)", token: context.token)
            let values = try #require(try whole.json()["values"]?.array)
            func disposition(_ place: String) -> String? {
                values.first { $0["place"]?.string == place }?["disposition"]?.string
            }
            #expect(disposition("AL1-3.1") == "mapped")
            #expect(disposition("PID-18.1") == "mapped")
            #expect(disposition("MSH-10.1") == "kept")
            #expect(disposition("ZZZ-1.1") == "unmapped")
            #expect(!whole.text.contains("Penicillin"), "the record holds no value of the message")
        }

        @Test("A message that failed is carried out again by the profile that its sender has now")
        func replay() async throws {
            let folder = context.server.folder.path
            let name = ["--mllp-app", "REPLAY", "--mllp-facility", ServerFolder.sender.facility]
            try await HilumProgram.must(["peer", "add", folder] + name + ["--may", "adt"])
            let sent = Samples.message("MJ-3", patient: "MJ-3", processing: "T", application: "REPLAY")
            #expect(try await MLLPPeer.send(sent, to: context.server)?.code != "AA")
            let words = ["message", "replay", folder, "--control-id", "MJ-3"]
            let left = try await HilumProgram.run(words)
            #expect(left.code == 1, "\(left.text)")
            try "accepted_processing_ids: [P, T]\n".write(
                toFile: folder + "/replay.yaml", atomically: true, encoding: .utf8)
            try await HilumProgram.must(["peer", "set", folder] + name + ["--profile", "replay.yaml"])
            let again = try await HilumProgram.run(words)
            #expect(again.code == 0, "\(again.text)")
            #expect(again.text.contains("applied"), "\(again.text)")
            #expect(try await entries("/Patient?identifier=MJ-3").count == 1)
        }

        @Test("A message that failed is listed with its reason; one that is not there is 404; a wrong filter is 400")
        func failures() async throws {
            #expect(
                try await MLLPPeer.send(message("ADT^A08", "MJ-2", ["PID|1||"]), to: context.server)?.code == "AE")
            let failed = try await context.web.send(.GET, "/ops/messages?disposition=failed", token: context.token)
            #expect(try failed.json()["messages"]?[0]?["note"]?.string?.isEmpty == false)
            #expect(try await context.web.send(.GET, "/ops/messages/none", token: context.token).status == 404)
            for query in ["limit=0", "limit=x", "limit=1001", "disposition=lost"] {
                #expect(try await context.web.send(.GET, "/ops/messages?\(query)", token: context.token).status == 400)
            }
            #expect(try await context.web.send(.GET, "/ops/messages").status == 401)
        }
    }
}
