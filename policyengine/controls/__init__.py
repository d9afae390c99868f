"""Floor 2: takes framework, profile and waiver files, gives catalogues, a profile and waivers."""
