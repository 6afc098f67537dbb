"""The words that the simulated world is made of. Each genre owns its nouns and adjectives."""

GENRES = (
    "Action",
    "Romance",
    "Horror",
    "Musical",
    "Sci-Fi",
    "Children",
    "Western",
    "Comedy",
    "Crime",
    "Documentary",
)
"""Genre names as MovieLens spells them."""

ADJECTIVES = (
    (
        "Furious", "Burning", "Deadly", "Relentless", "Explosive", "Armoured",
        "Lethal", "Daring", "Reckless", "Armed", "Ruthless", "Rapid",
    ),
    (
        "Tender", "Beloved", "Wistful", "Moonlit", "Faithful", "Blushing",
        "Longing", "Sweet", "Devoted", "Dreamy", "Yearning", "Blissful",
    ),
    (
        "Haunted", "Cursed", "Bloody", "Screaming", "Rotten", "Unholy",
        "Pale", "Creeping", "Ghastly", "Wicked", "Sinister", "Undead",
    ),
    (
        "Dancing", "Singing", "Jazzy", "Golden", "Velvet", "Rhythmic",
        "Swinging", "Melodic", "Humming", "Glittering", "Operatic", "Lyrical",
    ),
    (
        "Cosmic", "Robotic", "Stellar", "Quantum", "Orbital", "Atomic",
        "Distant", "Frozen", "Galactic", "Lunar", "Martian", "Digital",
    ),
    (
        "Little", "Magic", "Fluffy", "Brave", "Curious", "Rainbow",
        "Sleepy", "Tiny", "Playful", "Giggling", "Enchanted", "Cuddly",
    ),
    (
        "Dusty", "Lonesome", "Outlaw", "Wild", "Rugged", "Saddled",
        "Sunburnt", "Lawless", "Windswept", "Untamed", "Galloping", "Barren",
    ),
    (
        "Clumsy", "Awkward", "Silly", "Crazy", "Hopeless", "Tipsy",
        "Grumpy", "Lucky", "Goofy", "Ridiculous", "Cheeky", "Bumbling",
    ),
    (
        "Crooked", "Stolen", "Guilty", "Secret", "Corrupt", "Missing",
        "Silent", "Double", "Ruined", "Forged", "Shady", "Blackmailed",
    ),
    (
        "Hidden", "Vanishing", "Ancient", "Endless", "Untold", "Fragile",
        "Living", "Northern", "Migrating", "Forgotten", "Remote", "Coastal",
    ),
)
"""Twelve adjectives per genre, in the order of GENRES."""

NOUNS = (
    (
        "Strike", "Fury", "Commando", "Bullet", "Warrior", "Mission",
        "Thunder", "Assault", "Ambush", "Convoy", "Sniper", "Raid",
    ),
    (
        "Kiss", "Wedding", "Heart", "Letters", "Honeymoon", "Valentine",
        "Promise", "Bride", "Sweetheart", "Proposal", "Courtship", "Serenade",
    ),
    (
        "Crypt", "Ghost", "Coffin", "Vampire", "Scream", "Graveyard",
        "Demon", "Cellar", "Werewolf", "Tomb", "Curse", "Witch",
    ),
    (
        "Song", "Chorus", "Ballroom", "Melody", "Broadway", "Orchestra",
        "Piano", "Cabaret", "Opera", "Tango", "Waltz", "Overture",
    ),
    (
        "Galaxy", "Android", "Starship", "Planet", "Nebula", "Colony",
        "Asteroid", "Robot", "Comet", "Cyborg", "Satellite", "Wormhole",
    ),
    (
        "Puppy", "Dragon", "Kitten", "Toybox", "Unicorn", "Balloon",
        "Penguin", "Fairy", "Bunny", "Teddy", "Castle", "Duckling",
    ),
    (
        "Saddle", "Sheriff", "Canyon", "Ranch", "Stagecoach", "Gunfighter",
        "Prairie", "Rodeo", "Cowboy", "Mustang", "Saloon", "Frontier",
    ),
    (
        "Neighbours", "Holiday", "Roommates", "Uncle", "Prank", "Waiter",
        "Inlaws", "Nonsense", "Mixup", "Babysitter", "Landlord", "Bachelor",
    ),
    (
        "Heist", "Detective", "Gangster", "Alibi", "Verdict", "Informant",
        "Robbery", "Witness", "Burglar", "Suspect", "Ransom", "Mobster",
    ),
    (
        "Glacier", "Oceans", "Harvest", "Migration", "Rivers", "Archive",
        "Volcano", "Savanna", "Reef", "Desert", "Wildlife", "Expedition",
    ),
)
"""Twelve nouns per genre, in the order of GENRES."""

PLACES = ("Paris", "Lisbon", "Kyoto", "Quebec", "Nairobi", "Lima", "Bergen", "Delhi")
"""Told apart by place: films that would otherwise share a title."""

OCCUPATIONS = (
    "other",
    "academic/educator",
    "artist",
    "clerical/admin",
    "college/grad student",
    "customer service",
    "doctor/health care",
    "executive/managerial",
    "farmer",
    "homemaker",
    "K-12 student",
    "lawyer",
    "programmer",
    "retired",
    "sales/marketing",
    "scientist",
    "self-employed",
    "technician/engineer",
    "tradesman/craftsman",
    "unemployed",
    "writer",
)
"""Occupation names in the order of the MovieLens-1M codes 0 to 20."""
