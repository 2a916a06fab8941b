import DICOMData

/// De-identifies objects for one purpose of one site. PS3.15 Annex E.
///
/// The Basic Application Level Confidentiality Profile is always done, with the options of the site's profile. Beyond
/// what its table lists: attributes that the dictionary does not know go, as private ones do; what is of UN is taken for
/// what the dictionary says, and a sequence that cannot be read so goes; overlays go as a whole. Names, UIDs and addresses
/// that the table does not list are replaced as those that it lists.
package struct Deidentifier: Sendable {
    private let profile: DeidentificationProfile
    private let pseudonyms: Pseudonyms

    package init(profile: DeidentificationProfile, pseudonyms: Pseudonyms) {
        self.profile = profile
        self.pseudonyms = pseudonyms
    }

    /// The data set de-identified; the one given is not changed. Values that were left in their source stay so where
    /// they are kept.
    package func deidentified(_ dataSet: DataSet) -> Result<DataSet, DeidentificationRefusal> {
        if let document = dataSet[.encapsulatedDocument], !document.isEmpty { return .failure(.encapsulatedDocument) }
        let run = DeidentificationRun(
            profile: profile, pseudonyms: pseudonyms, subject: DeidentificationSubject(dataSet))
        var result = run.cleaned(dataSet)
        do {
            let pixels = PixelCleaning(dataSet, profile)
            if let changed = try pixels.changed() { result[changed.tag] = changed }
            if pixels.isCleaned { result.set(.burnedInAnnotation, .CS, string: "NO") }
        } catch {
            return .failure(error)
        }
        mark(&result)
        return .success(result)
    }

    /// The file de-identified, its meta information made anew: what the old one says of senders and of private
    /// information is not in it. PS3.10 §7.1.
    package func deidentified(
        _ dataSet: DataSet, as transferSyntax: TransferSyntax
    ) -> Result<Part10File, DeidentificationRefusal> {
        deidentified(dataSet).map { Part10File(dataSet: $0, transferSyntax: transferSyntax) }
    }

    /// Says in the object that its patient's identity was removed, and how. PS3.15 §E.1.1, PS3.3 §C.7.1.1, §C.12.1.
    private func mark(_ dataSet: inout DataSet) {
        dataSet.set(.patientIdentityRemoved, .CS, string: "YES")
        dataSet.set(.deidentificationMethod, .LO, string: "PS3.15 Annex E")
        dataSet.set(
            Self.methodCodeSequence, .SQ,
            items: profile.options.codes.map { code in
                var item = DataSet()
                item.set(.codeValue, .SH, string: code.value)
                item.set(.codingSchemeDesignator, .SH, string: "DCM")
                item.set(.codeMeaning, .LO, string: code.meaning)
                return item
            })
        dataSet.set(Self.temporalInformation, .CS, string: profile.options.temporalInformation)
    }

    /// De-identification Method Code Sequence.
    private static let methodCodeSequence = Tag(0x0012, 0x0064)
    /// Longitudinal Temporal Information Modified.
    private static let temporalInformation = Tag(0x0028, 0x0303)
}
