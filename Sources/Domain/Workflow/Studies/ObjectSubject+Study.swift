extension ObjectSubject {
    /// By the order that the object is linked to.
    package init?(
        _ identity: InstanceIdentity, _ words: PatientWords, isVaried: Bool = false, patient: Patient,
        order: ImagingOrder?, authorities: AssigningAuthorities, since: UTCInstant
    ) {
        self.init(
            identity, words, isVaried: isVaried, patient: patient, accession: order?.accession,
            authorities: authorities, since: since)
    }

    /// Whose a study is to say that it is in answers to queries, by what it says of that itself. Nil where nothing is
    /// contradicted.
    ///
    /// - Parameters:
    ///   - patient: the living record that it is linked to.
    ///   - accession: the number of the order that it is linked to.
    package init?(
        of study: Study, patient: Patient, accession: Identifier?, authorities: AssigningAuthorities
    ) {
        let said = study.attributes
        self.init(
            InstanceIdentity(
                patientID: said.patientID, patientIDSystem: said.patientIDSystem,
                accessionNumber: said.accessionNumber, accessionSystem: said.accessionSystem),
            PatientWords(said), patient: patient, accession: accession, authorities: authorities,
            since: study.updatedAt)
    }

    /// What a study is said to be in an answer, by what its sender wrote of it. PS3.4 §C.4.1.1.3.2, PS3.18 §10.6.3.3.
    package func stated(in said: StudyAttributes) -> StudyAttributes {
        func text(_ value: String) -> String? { value.isEmpty ? nil : value }
        var attributes = said
        if let name { attributes.patientName = text(name) }
        if let birthDate { attributes.patientBirthDate = text(birthDate) }
        if let sex { attributes.patientSex = text(sex) }
        if let number {
            attributes.patientID = number.value
            attributes.patientIDSystem = number.system
            attributes.issuerOfPatientID = number.issuer?.namespace
        }
        if let accession {
            attributes.accessionNumber = text(accession.value)
            attributes.accessionSystem = text(accession.system)
        }
        return attributes
    }
}
