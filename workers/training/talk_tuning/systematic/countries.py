"""Capitals, continents, languages and currencies of 120 countries."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Country:
    """A country's facts. An empty field has no simple answer, and is not asked."""

    name: str
    capital: str
    continent: str
    language: str
    currency: str

    @property
    def spoken(self) -> str:
        """The name inside a sentence: "the Netherlands"."""
        plural = (
            "Netherlands",
            "Philippines",
            "United",
            "Bahamas",
            "Maldives",
            "Czech",
            "Dominican",
        )
        return f"the {self.name}" if self.name.startswith(plural) else self.name


# Several main languages are joined by "and".
TABLE: Final = """
Albania|Tirana|Europe|Albanian|lek
Algeria|Algiers|Africa|Arabic and Berber|dinar
Andorra|Andorra la Vella|Europe|Catalan|euro
Angola|Luanda|Africa|Portuguese|kwanza
Argentina|Buenos Aires|South America|Spanish|peso
Armenia|Yerevan||Armenian|dram
Australia|Canberra||English|Australian dollar
Austria|Vienna|Europe|German|euro
Azerbaijan|Baku||Azerbaijani|manat
Bahamas|Nassau|North America|English|Bahamian dollar
Bangladesh|Dhaka|Asia|Bengali|taka
Barbados|Bridgetown|North America|English|Barbadian dollar
Belarus|Minsk|Europe|Belarusian and Russian|ruble
Belgium|Brussels|Europe|Dutch, French and German|euro
Belize|Belmopan|North America|English|Belize dollar
Bhutan|Thimphu|Asia|Dzongkha|ngultrum
Bosnia and Herzegovina|Sarajevo|Europe|Bosnian, Croatian and Serbian|
Botswana|Gaborone|Africa|English and Tswana|pula
Brazil|Brasília|South America|Portuguese|real
Bulgaria|Sofia|Europe|Bulgarian|
Burkina Faso|Ouagadougou|Africa||
Cambodia|Phnom Penh|Asia|Khmer|riel
Cameroon|Yaoundé|Africa|French and English|Central African franc
Canada|Ottawa|North America|English and French|Canadian dollar
Chad|N'Djamena|Africa|French and Arabic|Central African franc
Chile|Santiago|South America|Spanish|peso
China|Beijing|Asia|Mandarin Chinese|yuan
Colombia|Bogotá|South America|Spanish|peso
Costa Rica|San José|North America|Spanish|colón
Croatia|Zagreb|Europe|Croatian|euro
Cuba|Havana|North America|Spanish|peso
Cyprus|Nicosia||Greek and Turkish|euro
Czech Republic|Prague|Europe|Czech|koruna
Denmark|Copenhagen|Europe|Danish|krone
Dominican Republic|Santo Domingo|North America|Spanish|peso
Ecuador|Quito|South America|Spanish|American dollar
Egypt|Cairo|Africa|Arabic|pound
El Salvador|San Salvador|North America|Spanish|
Estonia|Tallinn|Europe|Estonian|euro
Ethiopia|Addis Ababa|Africa|Amharic|birr
Fiji|Suva|Oceania|English, Fijian and Hindi|Fijian dollar
Finland|Helsinki|Europe|Finnish and Swedish|euro
France|Paris|Europe|French|euro
Georgia|Tbilisi||Georgian|lari
Germany|Berlin|Europe|German|euro
Ghana|Accra|Africa|English|cedi
Greece|Athens|Europe|Greek|euro
Guatemala|Guatemala City|North America|Spanish|quetzal
Guyana|Georgetown|South America|English|Guyanese dollar
Haiti|Port-au-Prince|North America|Haitian Creole and French|gourde
Honduras|Tegucigalpa|North America|Spanish|lempira
Hungary|Budapest|Europe|Hungarian|forint
Iceland|Reykjavik|Europe|Icelandic|krona
India|New Delhi|Asia|Hindi and English|rupee
Indonesia|Jakarta|Asia|Indonesian|rupiah
Iran|Tehran|Asia|Persian|rial
Iraq|Baghdad|Asia|Arabic and Kurdish|dinar
Ireland|Dublin|Europe|English and Irish|euro
Italy|Rome|Europe|Italian|euro
Jamaica|Kingston|North America|English|Jamaican dollar
Japan|Tokyo|Asia|Japanese|yen
Jordan|Amman|Asia|Arabic|dinar
Kazakhstan|Astana||Kazakh and Russian|tenge
Kenya|Nairobi|Africa|Swahili and English|shilling
Kuwait|Kuwait City|Asia|Arabic|dinar
Kyrgyzstan|Bishkek|Asia|Kyrgyz and Russian|som
Laos|Vientiane|Asia|Lao|kip
Latvia|Riga|Europe|Latvian|euro
Lebanon|Beirut|Asia|Arabic|pound
Liberia|Monrovia|Africa|English|Liberian dollar
Libya|Tripoli|Africa|Arabic|dinar
Lithuania|Vilnius|Europe|Lithuanian|euro
Luxembourg|Luxembourg City|Europe|Luxembourgish, French and German|euro
Madagascar|Antananarivo|Africa|Malagasy and French|ariary
Malaysia|Kuala Lumpur|Asia|Malay|ringgit
Mali|Bamako|Africa||
Malta|Valletta|Europe|Maltese and English|euro
Mexico|Mexico City|North America|Spanish|peso
Moldova|Chisinau|Europe|Romanian|leu
Monaco||Europe|French|euro
Mongolia|Ulaanbaatar|Asia|Mongolian|tugrik
Montenegro|Podgorica|Europe|Montenegrin|euro
Morocco|Rabat|Africa|Arabic and Berber|dirham
Mozambique|Maputo|Africa|Portuguese|metical
Namibia|Windhoek|Africa|English|Namibian dollar
Nepal|Kathmandu|Asia|Nepali|rupee
Netherlands|Amsterdam|Europe|Dutch|euro
New Zealand|Wellington|Oceania|English and Maori|New Zealand dollar
Nicaragua|Managua|North America|Spanish|córdoba
Niger|Niamey|Africa||
Nigeria|Abuja|Africa|English|naira
North Macedonia|Skopje|Europe|Macedonian and Albanian|denar
Norway|Oslo|Europe|Norwegian|krone
Oman|Muscat|Asia|Arabic|rial
Pakistan|Islamabad|Asia|Urdu and English|rupee
Panama|Panama City|North America|Spanish|
Papua New Guinea|Port Moresby|Oceania||kina
Paraguay|Asunción|South America|Spanish and Guarani|guarani
Peru|Lima|South America|Spanish|sol
Philippines|Manila|Asia|Filipino and English|peso
Poland|Warsaw|Europe|Polish|zloty
Portugal|Lisbon|Europe|Portuguese|euro
Qatar|Doha|Asia|Arabic|riyal
Romania|Bucharest|Europe|Romanian|leu
Russia|Moscow||Russian|ruble
Rwanda|Kigali|Africa|Kinyarwanda, English and French|franc
Saudi Arabia|Riyadh|Asia|Arabic|riyal
Senegal|Dakar|Africa|French and Wolof|West African franc
Serbia|Belgrade|Europe|Serbian|dinar
Slovakia|Bratislava|Europe|Slovak|euro
Slovenia|Ljubljana|Europe|Slovenian|euro
Somalia|Mogadishu|Africa|Somali and Arabic|shilling
South Korea|Seoul|Asia|Korean|won
Spain|Madrid|Europe|Spanish|euro
Sudan|Khartoum|Africa|Arabic and English|pound
Sweden|Stockholm|Europe|Swedish|krona
Switzerland|Bern|Europe|German, French, Italian and Romansh|Swiss franc
Syria|Damascus|Asia|Arabic|
Thailand|Bangkok|Asia|Thai|baht
Tunisia|Tunis|Africa|Arabic|dinar
Turkey|Ankara||Turkish|lira
Uganda|Kampala|Africa|English and Swahili|shilling
Ukraine|Kyiv|Europe|Ukrainian|hryvnia
United Arab Emirates|Abu Dhabi|Asia|Arabic|dirham
United Kingdom|London|Europe|English|pound
United States|Washington|North America|English|dollar
Uruguay|Montevideo|South America|Spanish|peso
Uzbekistan|Tashkent|Asia|Uzbek|som
Venezuela|Caracas|South America|Spanish|bolívar
Vietnam|Hanoi|Asia|Vietnamese|dong
Zambia|Lusaka|Africa|English|kwacha
Zimbabwe|Harare|Africa||
"""
COUNTRIES: Final = tuple(Country(*line.split("|")) for line in TABLE.strip().splitlines())
