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
            var found: String?
            try await waitUntil("the ImagingStudy of \(study) is as decided") {
                let reply = try await context.fhir(.GET, "/ImagingStudy?identifier=urn:oid:\(study)")
                found = try reply.json()["entry"]?[0]?["resource"]?["subject"]?["reference"]?.string
                return (found != nil) == isThere
            }
            return found
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

        private func note(_ study: String, _ uid: String, _ title: String) throws -> [UInt8] {
            func item(_ fill: (inout DataSet) -> Void) -> DataSet {
                var item = DataSet()
                fill(&item)
                return item
            }
            let instance = item {
                $0.set(.referencedSOPClassUID, string: Samples.ctImageStorage)
                $0.set(.referencedSOPInstanceUID, string: study + ".1.1")
            }
            let series = item {
                $0.set(.seriesInstanceUID, string: study + ".1")
                $0.set(.referencedSOPSequence, items: [instance])
            }
            let ofStudy = item {
                $0.set(.studyInstanceUID, string: study)
                $0.set(.referencedSeriesSequence, items: [series])
            }
            let code = item {
                $0.set(.codeValue, string: title)
                $0.set(.codingSchemeDesignator, string: "DCM")
                $0.set(.codeMeaning, string: "a title")
            }
            var set = DataSet()
            set.set(.sopClassUID, string: UID.keyObjectSelectionDocument)
            set.set(.sopInstanceUID, string: uid)
            set.set(.studyInstanceUID, string: study)
            set.set(.seriesInstanceUID, string: study + ".9")
            set.set(.modality, string: "KO")
            set.set(.patientID, string: "Q-3")
            set.set(.issuerOfPatientID, string: "HOSP")
            set.set(.conceptNameCodeSequence, items: [code])
            set.set(.currentRequestedProcedureEvidenceSequence, items: [ofStudy])
            return try FileMeta(
                sopClassUID: UID.keyObjectSelectionDocument, sopInstanceUID: uid,
                transferSyntax: .explicitVRLittleEndian
            ).encoded() + DataSetEncoder(transferSyntax: .explicitVRLittleEndian).encode(set)
        }

        @Test("A rejection note and a DELETE with a code take images out of every answer, until that is undone")
        func rejectionNotes() async throws {
            let study = "1.2.826.0.1.73"
            let object = "/dicomweb/studies/\(study)/series/\(study).1/instances/\(study).1.1"
            #expect(try await MLLPPeer.send(Samples.message("Q-3", patient: "Q-3"), to: context.server)?.code == "AA")
            try await store(study, patient: "Q-3")
            _ = try await subject(study, isThere: true)
            #expect(try await context.stow([note(study, study + ".9.1", "113001")]).status == 200)
            #expect(try await context.web.send(.GET, object, token: context.token).status == 404)
            #expect(try await context.web.send(.GET, object + "/metadata", token: context.token).status == 404)
            #expect(try await context.web.send(.GET, object + "/frames/1", token: context.token).status == 404)
            let found = try await context.web.send(
                .GET, "/dicomweb/studies/\(study)/instances", token: context.token)
            #expect(found.text.contains(study + ".9.1") && !found.text.contains(study + ".1.1"), "\(found.text)")
            try await store(study, patient: "Q-3")
            #expect(try await context.web.send(.GET, object, token: context.token).status == 404)
            let decision = try await show(study)?["instanceDecisions"]?[0]?["decision"]
            #expect(decision?["code"]?.string == "113001")
            #expect(try await decide(study, "undo", "reason=good+enough").status == 200)
            #expect(try await context.web.send(.GET, object, token: context.token).status == 200)

            let path = "/dicomweb/studies/\(study)"
            #expect(try await context.web.send(.DELETE, path, token: context.token).status == 400)
            #expect(try await context.web.send(.DELETE, path + "?code=113039").status == 401)
            #expect(
                try await context.web.send(.DELETE, "/dicomweb/studies/1.2.9?code=113039", token: context.token).status
                    == 404)
            let deleted = try await context.web.send(.DELETE, path + "?code=113039", token: context.token)
            #expect(deleted.status == 204, "\(deleted.text)")
            #expect(try await context.visible(study: study) == 0)
            _ = try await subject(study, isThere: false)
            #expect(try await context.web.send(.DELETE, path + "?code=113039", token: context.token).status == 404)
            // What has only expired is new when it comes again.
            try await store(study, patient: "Q-3")
            #expect(try await context.web.send(.GET, object, token: context.token).status == 200)
            _ = try await subject(study, isThere: true)
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
