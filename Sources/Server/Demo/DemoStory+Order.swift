import DICOMData
import DICOMNetwork
import DIMSEAdapter
import FHIRModel
import NIOHTTP1

/// Stages 1 to 3: registration, order, worklist.
extension DemoStory {
    mutating func registration() async throws {
        try await send(
            messages.registration(),
            "ADT^A04 for \(DemoSite.patientName.joined(separator: "^")), \(DemoSite.patientID)^^^\(DemoSite.patientNamespace)"
        )
        try await fetchToken()
        let identifier = "\(DemoSite.patientSystem)|\(DemoSite.patientID)"
        let story = self
        let (patient, time) = try await DemoNarrator.timed {
            try await story.only("Patient", [("identifier", identifier)])
        }
        patientID = try DemoFailure.unwrap(patient.text("id"), "the Patient has no id")
        try DemoFailure.require(
            patient.text("name.0.family") == DemoSite.patientName[0] && patient.text("gender") == "female"
                && patient.text("birthDate") == "1970-01-01", "Patient/\(patientID) is not the patient of the message")
        narrator.fact("GET Patient?identifier=\(identifier) finds Patient/\(patientID)", time)
    }

    private mutating func fetchToken() async throws {
        let client = try DemoClient.load(from: server.folder)
        let key = String(decoding: try ServerFolder.readSecret(DemoClient.keyFile(server.folder)), as: UTF8.self)
        let http = http
        try await http.send(.GET, "/fhir/Patient").expect(401)
        let (token, time) = try await DemoNarrator.timed { try await client.token(from: http, key: key) }
        self.token = token.text
        narrator.fact(
            "SMART: without a token 401; a signed ES384 assertion brings one for \(token.secondsToLive) s, \(token.scope)",
            time)
    }

    mutating func ordering() async throws {
        for order in [DemoOrder.scan, .followUp] {
            try await send(
                messages.newOrder(order),
                "ORM^O01 NW placer \(order.placerNumber), filler \(order.fillerNumber), accession \(order.accessionNumber), for \(site.date(minutes: order.startMinutes))"
            )
        }
        let order = DemoOrder.scan
        let request = try await only(
            "ServiceRequest", [("identifier", "\(DemoSite.accessionSystem)|\(order.accessionNumber)")])
        serviceRequestID = try DemoFailure.unwrap(request.text("id"), "the ServiceRequest has no id")
        let values = request["identifier"]?.elements.compactMap { $0.text("value") } ?? []
        for number in [order.placerNumber, order.fillerNumber, order.accessionNumber] {
            try DemoFailure.require(
                values.contains(number), "ServiceRequest/\(serviceRequestID) lacks the identifier \(number)")
        }
        try DemoFailure.require(
            request.text("status") == "active" && request.text("subject.reference") == "Patient/\(patientID)",
            "ServiceRequest/\(serviceRequestID) is not the active order of Patient/\(patientID)")
        narrator.fact(
            "ServiceRequest/\(serviceRequestID) is active, with placer, filler and accession number, for Patient/\(patientID)"
        )
        let encounter = try DemoFailure.unwrap(
            request.text("encounter.reference"), "ServiceRequest/\(serviceRequestID) has no encounter")
        let visit = try await fhir(encounter).root.text("identifier.0.value") ?? ""
        try DemoFailure.require(visit == DemoSite.visitNumber, "\(encounter) is visit \"\(visit)\"")
        narrator.fact("\(encounter) is its visit \(visit)")
        let task = try await only("Task", [("based-on", "ServiceRequest/\(serviceRequestID)")])
        taskID = try DemoFailure.unwrap(task.text("id"), "the Task has no id")
        try DemoFailure.require(
            task.text("identifier.0.value") == order.stepID && task.text("status") == "ready",
            "Task/\(taskID) is not the scheduled step \(order.stepID)")
        narrator.fact("Task/\(taskID) is its scheduled procedure step \(order.stepID), ready")
    }

    mutating func worklist() async throws {
        let association = try await associate([
            (abstractSyntax: UID.verification, transferSyntaxes: [TransferSyntax.implicitVRLittleEndian.uid]),
            (
                abstractSyntax: UID.modalityWorklistFind,
                transferSyntaxes: [
                    TransferSyntax.explicitVRLittleEndian.uid, TransferSyntax.implicitVRLittleEndian.uid,
                ]
            ),
        ])
        let (echo, echoTime) = try await DemoNarrator.timed { try await association.echo() }
        try DemoFailure.require(echo == .success, "C-ECHO was answered with \(echo)")
        narrator.fact("\(DemoSite.modalityTitle) associates with \(server.dimse.ae); C-ECHO 0000", echoTime)
        let keys = worklistKeys()
        let (found, time) = try await DemoNarrator.timed { try await association.find(identifier: keys) }
        try await association.release()
        try DemoFailure.require(found.status == .success, "the worklist query ended with \(found.status)")
        try DemoFailure.require(
            found.matches.count == 1, "the worklist query found \(found.matches.count) steps where 1 was due")
        let entry = try DemoFailure.unwrap(found.matches.first, "no step")
        study = try study(from: entry)
        narrator.fact("C-FIND station \(DemoSite.modalityTitle), CT, \(site.date()): 1 of the 2 scheduled steps", time)
        narrator.fact(
            "  \(entry.string(.patientName) ?? "") \(entry.string(.patientID) ?? "")  accession \(entry.string(.accessionNumber) ?? "")  study \(entry.uid(.studyInstanceUID) ?? "")"
        )
    }

    /// What a scanner asks for: its own steps of the day. PS3.4 §K.6.1.2.2.
    private func worklistKeys() -> DataSet {
        var step = DataSet()
        step.set(.scheduledStationAETitle, string: DemoSite.modalityTitle)
        step.set(.modality, string: "CT")
        step.set(.scheduledProcedureStepStartDate, string: site.date())
        for tag in [Tag.scheduledProcedureStepStartTime, .scheduledProcedureStepDescription, .scheduledProcedureStepID]
        { step.setEmpty(tag) }
        var keys = DataSet()
        for tag in [
            Tag.accessionNumber, .issuerOfAccessionNumberSequence, .referringPhysicianName, .patientName, .patientID,
            .issuerOfPatientID, .patientBirthDate, .patientSex, .studyInstanceUID, .requestedProcedureDescription,
            .requestedProcedureID, .requestingPhysician,
        ] { keys.setEmpty(tag) }
        keys.set(.scheduledProcedureStepSequence, items: [step])
        return keys
    }

    /// The scanner copies what the worklist says. IHE RAD-8, table 4.8.4.1.2-1.
    private func study(from entry: DataSet) throws -> PhantomStudy {
        func value(_ set: DataSet, _ tag: Tag) -> String { set.string(tag) ?? "" }
        let step = entry.item(.scheduledProcedureStepSequence) ?? DataSet()
        let order = DemoOrder.scan
        let expected: [(DataSet, Tag, String)] = [
            (entry, .patientID, DemoSite.patientID), (entry, .issuerOfPatientID, DemoSite.patientNamespace),
            (entry, .accessionNumber, order.accessionNumber), (entry, .studyInstanceUID, order.studyInstanceUID),
            (entry, .requestedProcedureID, order.requestedProcedureID), (step, .scheduledProcedureStepID, order.stepID),
            (step, .scheduledStationAETitle, DemoSite.modalityTitle), (step, .modality, "CT"),
        ]
        for (set, tag, wanted) in expected where value(set, tag) != wanted {
            throw DemoFailure("the worklist says \"\(value(set, tag))\" in \(tag) where \"\(wanted)\" was due")
        }
        return PhantomStudy(
            studyInstanceUID: value(entry, .studyInstanceUID), patientName: value(entry, .patientName),
            patientID: value(entry, .patientID), issuerOfPatientID: value(entry, .issuerOfPatientID),
            patientBirthDate: value(entry, .patientBirthDate), patientSex: value(entry, .patientSex),
            accessionNumber: value(entry, .accessionNumber),
            issuerOfAccessionNumber: entry.item(.issuerOfAccessionNumberSequence)?.string(.localNamespaceEntityID)
                ?? DemoSite.accessionNamespace,
            referringPhysicianName: value(entry, .referringPhysicianName),
            description: value(entry, .requestedProcedureDescription),
            requestedProcedureID: value(entry, .requestedProcedureID),
            scheduledProcedureStepID: value(step, .scheduledProcedureStepID),
            date: site.date(), time: site.time())
    }
}
