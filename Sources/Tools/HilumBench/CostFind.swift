import DICOMData
import DICOMNetwork
import DIMSEAdapter

/// One C-FIND of the worklist of the table of costs. PS3.4 §K.
struct CostFind {
    /// What it asks, for the table.
    let name: String
    let identifier: DataSet
    /// How many matches it has at every size.
    let hits: Int

    /// What modalities ask, in the forms that `CostStore` knows the answers of.
    static var all: [CostFind] {
        [
            find("PatientID=P7", 1, keys: { $0.set(.patientID, string: "P7") }),
            find("PatientName=ZIMMER*", CostStore.hits, keys: { $0.set(.patientName, string: "ZIMMER*") }),
            find("AccessionNumber=A7", 1, keys: { $0.set(.accessionNumber, string: "A7") }),
            // Half of the day's steps are of one modality.
            find(
                "date and modality", 12,
                step: {
                    $0.set(.modality, string: "CT")
                    $0.set(.scheduledProcedureStepStartDate, string: CostStore.day)
                }),
            find(
                "date and station", 3,
                step: {
                    $0.set(.scheduledStationAETitle, string: "STATION0")
                    $0.set(.scheduledProcedureStepStartDate, string: CostStore.day)
                }),
        ]
    }

    private static func find(
        _ name: String, _ hits: Int, keys: (inout DataSet) -> Void = { _ in },
        step: (inout DataSet) -> Void = { _ in }
    ) -> CostFind {
        var ofStep = DataSet()
        for tag in [
            Tag.modality, .scheduledStationAETitle, .scheduledProcedureStepStartDate, .scheduledProcedureStepStartTime,
            .scheduledProcedureStepID,
        ] { ofStep.setEmpty(tag) }
        step(&ofStep)
        var all = DataSet()
        for tag in [Tag.accessionNumber, .patientName, .patientID, .patientBirthDate, .studyInstanceUID] {
            all.setEmpty(tag)
        }
        keys(&all)
        all.set(.scheduledProcedureStepSequence, items: [ofStep])
        return CostFind(name: "C-FIND MWL " + name, identifier: all, hits: hits)
    }

    /// Each query's milliseconds, on one association.
    static func measure(port: Int, count: Int) async throws -> [(name: String, times: [Double])] {
        guard let called = AETitle("HILUM"), let calling = AETitle("BENCH") else { throw BenchFailure("AE title") }
        let association = try await SCUAssociation.open(
            SCUAssociation.Destination(
                host: "127.0.0.1", port: port, calledAETitle: called, callingAETitle: calling),
            contexts: [(UID.modalityWorklistFind, [TransferSyntax.explicitVRLittleEndian.uid])])
        var measured: [(name: String, times: [Double])] = []
        for find in all { measured.append((find.name, try await find.times(on: association, count: count))) }
        try await association.release()
        return measured
    }

    /// Milliseconds from the request to the final response, each of `count`; the first answers are not counted.
    private func times(on association: SCUAssociation, count: Int) async throws -> [Double] {
        var times: [Double] = []
        for number in 0..<(count + 3) {
            let begin = ContinuousClock.now
            let (matches, status) = try await association.find(identifier: identifier)
            let time = (ContinuousClock.now - begin).seconds * 1_000
            guard status == .success, matches.count == hits else {
                throw BenchFailure("\(name) ended with \(status) after \(matches.count) matches, not \(hits)")
            }
            if number >= 3 { times.append(time) }
        }
        return times
    }
}
