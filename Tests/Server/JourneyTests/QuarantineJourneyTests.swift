import DICOMData
import FHIRModel
import Foundation
import NIOHTTP1
import Testing

extension JourneyTests {
    /// A person decides about images that were kept aside: over HTTP, and by the command beside the running server. Case
    /// S4; IHE RAD TF-1 §4 (PIR).
    @Suite(.server, .serialized) struct QuarantineJourneyTests {
        let context: ServerTrait.Context

        init() throws { context = try ServerTrait.context() }

        private func decide(_ study: String, _ name: String, _ form: String, token: String? = nil) async throws
            -> WebClient.Reply
        {
            try await context.web.send(
                .POST, "/ops/quarantine/\(study)/\(name)", token: token ?? context.token,
                headers: [("Content-Type", "application/x-www-form-urlencoded")], body: Array(form.utf8))
        }

        private func show(_ study: String) async throws -> JSONValue? {
            let reply = try await context.web.send(.GET, "/ops/quarantine/\(study)", token: context.token)
            #expect(reply.status == 200, "\(reply.text)")
            return try reply.json()["series"]?.array?.first
        }

        private func store(_ study: String, patient: String, accession: String? = nil) async throws {
            let file = try Samples.file(study: study, instance: study + ".1.1") {
                $0.set(.patientID, string: patient)
                $0.set(.issuerOfPatientID, string: "HOSP")
                if let accession { $0.set(.accessionNumber, string: accession) }
            }
            #expect(try await context.stow([file]).status == 200)
        }

        /// The subjects of the ImagingStudy that shows a study, once it does or does not any more.
        private func subject(_ study: String, isThere: Bool) async throws -> String? {
            for _ in 0..<200 {
                let reply = try await context.fhir(.GET, "/ImagingStudy?identifier=urn:oid:\(study)")
                let found = try reply.json()["entry"]?[0]?["resource"]?["subject"]?["reference"]?.string
                if (found != nil) == isThere { return found }
                try await Task.sleep(for: .milliseconds(50))
            }
            throw JourneyFailure("the ImagingStudy of \(study) is not as decided")
        }

        @Test("accept, reject and undo over HTTP; without the scope or a reason nothing is decided")
        func http() async throws {
            let study = "1.2.826.0.1.71"
            #expect(try await MLLPPeer.send(Samples.message("Q-1", patient: "Q-1"), to: context.server)?.code == "AA")
            try await store(study, patient: "Q-1", accession: "Q-NONE")
            #expect(try await show(study)?["reason"]?.string == "unknown-accession")
            #expect(try await decide(study, "accept", "").status == 400)
            #expect(try await decide(study, "undo", "reason=x").status == 409)
            #expect(try await decide("1.2.9", "accept", "reason=x").status == 404)
            #expect(try await context.web.send(.POST, "/ops/quarantine/\(study)/accept").status == 401)

            let accepted = try await decide(study, "accept", "reason=typed+by+hand")
            #expect(accepted.status == 200, "\(accepted.text)")
            let decision = try accepted.json()["series"]?[0]?["decision"]
            #expect(decision?["decidedBy"]?.string == "client:journey")
            #expect(decision?["reason"]?.string == "typed by hand")
            let subject = try await subject(study, isThere: true)
            #expect(subject?.hasPrefix("Patient/") == true)

            #expect(try await context.visible(study: study) == 1)
            #expect(try await decide(study, "reject", "reason=wrong+patient").status == 200)
            #expect(try await context.visible(study: study) == 0)
            _ = try await self.subject(study, isThere: false)
            let object = "/dicomweb/studies/\(study)/series/\(study).1/instances/\(study).1.1"
            #expect(try await context.web.send(.GET, object, token: context.token).status == 404)
            // The same object again is a success, and stays where it is.
            try await store(study, patient: "Q-1", accession: "Q-NONE")
            #expect(try await context.visible(study: study) == 0)
            #expect(try await show(study)?["state"]?.string == "rejected")
            #expect(try await decide(study, "undo", "reason=right+after+all").status == 200)
            #expect(try await context.web.send(.GET, object, token: context.token).status == 200)
            #expect(try await show(study)?["reason"]?.string == "unknown-accession")
        }

        @Test(
            "hilum quarantine beside the running server: relink shows in FHIR, and memory does not serve what is rejected"
        )
        func command() async throws {
            let study = "1.2.826.0.1.72"
            let folder = context.server.folder.path
            #expect(try await MLLPPeer.send(Samples.message("Q-2", patient: "Q-2"), to: context.server)?.code == "AA")
            try await store(study, patient: "Q-UNKNOWN")
            #expect(try await HilumProgram.must("quarantine", "list", folder).contains("unknown-patient"))
            let words = ["quarantine", "relink", folder, study, "--patient"]
            let mistaken = try await HilumProgram.run(words + ["nobody", "--reason", "x"])
            #expect(mistaken.code != 0, "\(mistaken.text)")
            #expect(mistaken.text.contains("no such order or patient"), "\(mistaken.text)")
            let listed = try await context.fhir(.GET, "/Patient?identifier=Q-2")
            let patient = try #require(try listed.json()["entry"]?[0]?["resource"]?["id"]?.string)
            let told = try await HilumProgram.must(words + [patient, "--reason", "asked the ward", "--json"])
            let result = JSONValue(try JSONDocument(parsing: Array(told.utf8), limits: .stored))
            #expect(result["series"]?[0]?["link"]?["patient"]?.string == "Patient/\(patient)")
            #expect(result["series"]?[0]?["decision"]?["decidedBy"]?.string?.hasPrefix("operator:") == true)
            #expect(try await subject(study, isThere: true) == "Patient/\(patient)")

            let object = "/dicomweb/studies/\(study)/series/\(study).1/instances/\(study).1.1"
            #expect(try await context.web.send(.GET, object, token: context.token).status == 200)
            _ = try await HilumProgram.must("quarantine", "reject", folder, study, "--reason", "x")
            _ = try await subject(study, isThere: false)
            #expect(try await context.web.send(.GET, object, token: context.token).status == 404)
            #expect(try await HilumProgram.must("quarantine", "list", folder, "--state", "rejected").contains(study))
            _ = try await HilumProgram.must("quarantine", "undo", folder, study, "--reason", "x")
            #expect(try await context.web.send(.GET, object, token: context.token).status == 200)
            let shown = try await HilumProgram.run(["quarantine", "show", folder, "1.2.9"])
            #expect(shown.code != 0)
            #expect(shown.text.contains("no such study"))
        }
    }
}
