import { stem } from "./words.ts";

/** Words that stand for one another in a question. Only what does so nearly always: "run" and "manage" are left out. */
const groups = (
  "purchase buy acquire get|fix repair mend solve|begin start commence launch|stop end cease quit finish|help assist aid support|choose pick select|big large huge|small little tiny|" +
  "fast quick rapid speedy|quickly fast rapidly|easy simple|hard difficult tough tricky|expensive costly pricey dear|cheap inexpensive affordable|cheapest lowest-priced|best top greatest finest|" +
  "good great decent|important significant key|famous well-known renowned|correct right proper|wrong incorrect false|mistake error fault|problem issue trouble difficulty|job position post|" +
  "employer company firm|car automobile vehicle auto|bike bicycle cycle|movie movies film picture|photo photograph picture image pic|phone telephone|cellphone mobile smartphone|tv television telly|doctor physician|" +
  "children kids|child kid|mom mum mother|dad father|trip journey|holiday vacation|apartment flat|shop store|supermarket grocer|gas petrol fuel|email e-mail mail|website site webpage page|" +
  "internet web net|usa us america|uk britain|need require|create make build construct|write compose draft pen|explain describe clarify|calculate compute|convert change turn transform|delete remove erase|" +
  "send mail ship|receive get|cook prepare make|prevent avoid|happen occur|allow permit|allowed permitted|forbidden prohibited banned|currently now|salary pay wage wages|money cash funds|bill invoice|" +
  "order purchase|delivery shipment|package parcel|refund reimbursement reimburse|fee charge|rent lease|contract agreement|lawyer attorney solicitor|law legislation|legal lawful|illegal unlawful|boss manager supervisor|" +
  "coworker colleague|meeting appointment|song track tune|weather forecast|book reserve booking reservation|nearest closest|biggest largest|smallest tiniest|highest tallest|bug defect|folder directory|screen display|" +
  "computer pc machine|password passcode|login signin|install setup|uninstall remove|program application software app|term word|story tale|summary overview synopsis|illness disease sickness|medicine medication drug|sick ill unwell|" +
  "tired exhausted|afraid scared frightened|happy glad|sad unhappy|angry mad|strange odd weird|beautiful pretty lovely|cancel terminate|enable activate on|disable deactivate off|headline title|change modify alter edit update|close shut|couch sofa|cookie cookies biscuit|soda pop|" +
  "elevator lift|truck lorry|garbage rubbish trash|fall autumn|yearly annual annually|symptom sign|cause reason|advantage benefit pro upside|disadvantage drawback con downside|difference distinction|meaning definition sense|" +
  "result outcome score|speed velocity|city town|nation country|language tongue|method function way approach|list enumerate|show display|find locate|search look|check verify test|call ring phone|travel go|live reside|earn make|" +
  "cost price|colour color|favourite favorite|organise organize|centre center|theatre theater|metre meter|litre liter|grey gray|tyre tire|programme program|licence license|cheque check|aeroplane airplane plane|mould mold|mustache moustache"
).split("|");

const groupsOf = new Map<string, number[]>();
for (const [at, group] of groups.entries()) {
  for (const word of group.split(" ")) groupsOf.set(stem(word), [...(groupsOf.get(stem(word)) ?? []), at]);
}

/** Whether two stems are of words that stand for one another. */
export function synonyms(one: string, other: string): boolean {
  return one === other || (groupsOf.get(one) ?? []).some((group) => groupsOf.get(other)?.includes(group));
}
